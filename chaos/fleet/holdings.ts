// What the processes of a fleet hold while nothing goes on: watches at the ensemble, timers, threads, open files, sockets and pipes, links. Asked before
// there was any traffic and after all of it, it says whether something was left over. Clients keep connections to a gateway for a while, and a worker
// keeps dozens of named pipes ready for the output of commands: both come and go by themselves and are not counted.

import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { excessOf } from '../judge/leftover-bounds.ts';
import type { Leftover } from '../record.ts';
import type { EnsembleServer } from './ensemble.ts';
import type { Fleet } from './fleet.ts';
import type { FleetService, ServiceRole } from './service.ts';

const kinds = ['watches', 'status watches', 'timers', 'threads', 'files', 'sockets', 'pipes', 'links'] as const;
type Counts = Readonly<Record<(typeof kinds)[number], number>>;

/** By id. */
export type Holdings = ReadonlyMap<string, Counts>;

const pauseMs = 500;

/** Rejects where one of them, or the ensemble, cannot be asked. */
export async function holdingsOf({ services, servers }: Fleet): Promise<Holdings> {
  const watched = await watchedBySession(servers);
  const counts = await Promise.all(services.map((service) => countsOf(service, watched)));
  return new Map(services.map(({ id }, i) => [id, counts[i] as Counts]));
}

/** Resolves when no process holds more than it may, or when the patience is over: with what each one holds. */
export async function leftoversOf(fleet: Fleet, before: Holdings, patienceMs: number): Promise<Leftover[]> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const held = await holdingsOf(fleet);
    const leftovers = fleet.services.map(({ id, role }): Leftover => {
      const end = held.get(id) as Counts;
      return { kind: 'leftover', id, baseline: mostOf(role, fleet, before), end };
    });
    if (leftovers.every((leftover) => excessOf(leftover).length === 0) || performance.now() > until) return leftovers;
    await delay(pauseMs);
  }
}

/** Who led before does not lead now: of each role, what any of its processes held. */
function mostOf(role: ServiceRole, { services }: Fleet, before: Holdings): Counts {
  const ofRole = services.filter((service) => service.role === role).flatMap(({ id }) => before.get(id) ?? []);
  const most = (kind: keyof Counts) => Math.max(0, ...ofRole.map((counts) => counts[kind]));
  return Object.fromEntries(kinds.map((kind) => [kind, most(kind)])) as Counts;
}

async function countsOf({ role, links, process, metrics }: FleetService, watched: WatchedPaths): Promise<Counts> {
  const timers = /^nodejs_active_resources\{type="Timeout"\} (\d+)$/m.exec(await metrics())?.[1];
  const watches = [...links.sessions].flatMap((session) => watched.get(session) ?? []);
  const ofStatus = watches.filter((path) => path.endsWith('/status')).length;
  return {
    watches: watches.length - ofStatus,
    'status watches': ofStatus,
    timers: Number(timers ?? 0),
    links: links.links.reduce((sum, { proxy }) => sum + proxy.connections, 0),
    ...countsOfKernel(process.pid),
    ...(role === 'gateway' && { sockets: 0 }),
  };
}

/** What the kernel says of it; nothing where there is no /proc. */
function countsOfKernel(pid: number | null): Pick<Counts, 'threads' | 'files' | 'sockets' | 'pipes'> {
  const [tasks, open] = [`/proc/${pid}/task`, `/proc/${pid}/fd`];
  if (!existsSync(open)) return { threads: 0, files: 0, sockets: 0, pipes: 0 };
  const targets = readdirSync(open).map((fd) => targetOf(`${open}/${fd}`));
  const count = (pattern: RegExp) => targets.filter((target) => pattern.test(target)).length;
  return {
    threads: readdirSync(tasks).length,
    files: count(/^\/(?!dev\/|.*taskkeeper-pipes-)/),
    sockets: count(/^socket:/),
    pipes: count(/^pipe:/),
  };
}

/** Empty where it has been closed meanwhile. */
function targetOf(fd: string): string {
  try {
    return readlinkSync(fd);
  } catch {
    return '';
  }
}

type WatchedPaths = ReadonlyMap<bigint, readonly string[]>;

/** By session, of all servers: a session has its watches where its link is. */
async function watchedBySession(servers: readonly EnsembleServer[]): Promise<WatchedPaths> {
  const watched = new Map<bigint, string[]>();
  for (const answer of await Promise.all(servers.map((server) => server.ask('wchc')))) {
    let ofSession: string[] = [];
    for (const line of answer.split('\n')) {
      if (line.startsWith('0x')) {
        const session = BigInt.asIntN(64, BigInt(line.trim()));
        ofSession = watched.get(session) ?? [];
        watched.set(session, ofSession);
      } else if (line.startsWith('\t')) ofSession.push(line.trim());
    }
  }
  return watched;
}

// What the processes of a fleet hold while nothing goes on: watches at the ensemble, timers, open files, links. Asked before there was any traffic
// and after all of it, it says whether something was left over. Sockets of clients and what a worker keeps in store (threads, pipes for
// commands) come and go by themselves and are not counted.

import { readdirSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Leftover } from '../record.ts';
import type { EnsembleServer } from './ensemble.ts';
import type { Fleet } from './fleet.ts';
import type { FleetService, ServiceRole } from './service.ts';

type Counts = Readonly<Record<'watches' | 'timers' | 'files' | 'links', number>>;

/** By id. */
export type Holdings = ReadonlyMap<string, Counts>;

const pauseMs = 500;

/** Rejects where one of them, or the ensemble, cannot be asked. */
export async function holdingsOf({ services, servers }: Fleet): Promise<Holdings> {
  const watches = await watchesBySession(servers);
  const counts = await Promise.all(services.map((service) => countsOf(service, watches)));
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
    if (leftovers.every(isNothing) || performance.now() > until) return leftovers;
    await delay(pauseMs);
  }
}

/** Who led before does not lead now: of each role, what any of its processes held. */
function mostOf(role: ServiceRole, { services }: Fleet, before: Holdings): Counts {
  const ofRole = services.filter((service) => service.role === role).flatMap(({ id }) => before.get(id) ?? []);
  const most = (name: keyof Counts) => Math.max(0, ...ofRole.map((counts) => counts[name]));
  return { watches: most('watches'), timers: most('timers'), files: most('files'), links: most('links') };
}

function isNothing({ baseline, end }: Leftover): boolean {
  return Object.entries(end).every(([name, count]) => count <= (baseline[name] ?? 0));
}

async function countsOf(service: FleetService, watches: ReadonlyMap<bigint, number>): Promise<Counts> {
  const { links, process } = service;
  const timers = /^nodejs_active_resources\{type="Timeout"\} (\d+)$/m.exec(await service.metrics())?.[1];
  return {
    watches: watches.get(links.session ?? 0n) ?? 0,
    timers: Number(timers ?? 0),
    files: process.pid === null ? 0 : openFiles(process.pid),
    links: links.links.reduce((sum, { proxy }) => sum + proxy.connections, 0),
  };
}

/** Neither sockets nor pipes. None where there is no /proc. */
function openFiles(pid: number): number {
  const folder = `/proc/${pid}/fd`;
  if (!statSync(folder, { throwIfNoEntry: false })) return 0;
  return readdirSync(folder).filter((fd) => statSync(`${folder}/${fd}`, { throwIfNoEntry: false })?.isFile()).length;
}

/** Of all servers: a session has its watches where its link is. */
async function watchesBySession(servers: readonly EnsembleServer[]): Promise<Map<bigint, number>> {
  const counts = new Map<bigint, number>();
  for (const answer of await Promise.all(servers.map((server) => server.ask('wchc')))) {
    let session = 0n;
    for (const line of answer.split('\n')) {
      if (line.startsWith('0x')) session = BigInt.asIntN(64, BigInt(line.trim()));
      else if (line.startsWith('\t')) counts.set(session, (counts.get(session) ?? 0) + 1);
    }
  }
  return counts;
}

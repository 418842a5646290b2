// Counts what a task costs in requests to ZooKeeper, from its submit over its end and the answer to whoever waits for it to its
// removal, for each role, with one task under way at a time and with many. Nothing is timed, so the same numbers come out on any
// machine: exactly so with one at a time; with many, how many share a transaction depends on the machine.

import { setTimeout as delay } from 'node:timers/promises';
import type { TestScope } from './cleanup.ts';
import { eventually } from './eventually.ts';
import { addCosts, type Costs, costNames, mapCosts, noCosts, RequestMeter } from './request-costs.ts';
import { calmSessionMs, type Process, Stack, type StackZooKeeper } from './stack.ts';

export const costRoles = ['gateway', 'leader', 'standby', 'worker'] as const;
export type CostRole = (typeof costRoles)[number];

export interface CountedCosts {
  readonly phase: 'one at a time' | 'many in flight' | 'submitted only' | 'looked at' | 'retention';
  /** Of one task. */
  readonly perTask: Readonly<Record<CostRole, Costs>>;
}

const oneByOne = 21;
const many = 640;
const inFlight = 64;
/** Many times what an event takes to arrive; a process that is held up for longer costs one of the counts of {@link oneByOne}. */
const quietMs = 50;
/** As MIN_RETENTION_MS. */
const retention = { kept: 3_600_000, over: 0 };

export async function countCosts(scope: TestScope, zookeeper: StackZooKeeper): Promise<CountedCosts[]> {
  const stack = new MeteredStack(scope, zookeeper);
  await stack.start();
  await stack.run(inFlight, inFlight); // what happens only once in a life is over
  await stack.unfollowed();
  const singles: CountedCosts[] = [];
  for (let i = 0; i < oneByOne; i += 1) singles.push(await stack.count('one at a time', 1, () => stack.run(1, 1)));
  const together = await stack.count('many in flight', many, () => stack.run(many, inFlight));
  const submitOnly = () => stack.run(many, inFlight, 'not waited for');
  const submitted = await stack.count('submitted only', many, submitOnly);
  const lookedAt = await stack.count('looked at', many, () => stack.whileLookedAt(submitOnly));
  return [middleOf(singles), together, submitted, lookedAt, await stack.countRemovals()];
}

/** A process of each role, each behind a proxy of its own that counts. */
class MeteredStack {
  readonly #stack: Stack;
  readonly #meters = new Map<Process, RequestMeter>();

  constructor(scope: TestScope, zookeeper: StackZooKeeper) {
    this.#stack = new Stack(scope, zookeeper, {
      sessionTimeoutMs: calmSessionMs,
      worker: { WORKER_CONCURRENCY: 50 },
    });
  }

  async start(): Promise<void> {
    await this.#addMasters(retention.kept);
    this.#measure(await this.#stack.addWorker({}, true));
    this.#measure(await this.#stack.addGateway({}, true));
  }

  /** Each is submitted, and then waited for by another request, or not. */
  async run(tasks: number, inFlight: number, how: 'waited for' | 'not waited for' = 'waited for'): Promise<void> {
    const { client } = this.#stack;
    let next = 0;
    const lane = async () => {
      while (next < tasks) {
        next += 1;
        const { id } = await client.submit({ type: 'echo', payload: { n: 1 }, retentionMs: 0 });
        if (how === 'waited for') await client.wait(id);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
  }

  /** Resolves when the gateway has taken back the watch of who runs what that it begins with. */
  async unfollowed(): Promise<void> {
    const [gateway] = this.#stack.gateways;
    const meter = gateway && this.#meters.get(gateway);
    await eventually('the watch is taken back', () => (meter?.take().others ?? 0) > 0);
  }

  /** `work`, while somebody wants to know of a task without waiting for its end: whether it runs is to be known then. */
  async whileLookedAt(work: () => Promise<void>): Promise<void> {
    const { client } = this.#stack;
    const { id } = await client.submit({ type: 'nobody-has-it', retentionMs: 0 });
    await client.get(id);
    await work();
    await client.request('POST', `/tasks/${id}/cancel`);
    await client.wait(id);
  }

  async count(phase: CountedCosts['phase'], tasks: number, work: () => Promise<void>): Promise<CountedCosts> {
    await this.#quiet();
    for (const meter of this.#meters.values()) meter.take();
    await work();
    await this.#quiet();
    const { workers, gateways } = this.#stack;
    const processes = {
      ...{ gateway: gateways[0], worker: workers[0] },
      ...{ leader: await this.#stack.leader(), standby: await this.#stack.standby() },
    };
    const costs = (role: CostRole) => {
      const process = processes[role];
      return (process && this.#meters.get(process)?.take()) ?? noCosts;
    };
    return { phase, perTask: byRole((role) => mapCosts(costs(role), (sum) => sum / tasks)) };
  }

  /** All that are there go at once, when a master takes over for whom their retention is over. */
  async countRemovals(): Promise<CountedCosts> {
    const session = await this.#stack.session;
    for (const master of this.#stack.masters.splice(0)) {
      await master.process.stop();
      this.#meters.delete(master);
    }
    await session.create('/master', 'a person', 'ephemeral');
    await this.#addMasters(retention.over);
    const left = async () => (await session.exists('/tasks'))?.numChildren ?? 0;
    return await this.count('retention', await left(), async () => {
      await session.remove('/master');
      await eventually('every task is gone', async () => (await left()) === 0, 60_000);
    });
  }

  async #addMasters(minRetentionMs: number): Promise<void> {
    for (let i = 0; i < 2; i += 1)
      this.#measure(await this.#stack.addMaster({ MIN_RETENTION_MS: minRetentionMs }, true));
  }

  #measure(process: Process): void {
    if (process.proxy) this.#meters.set(process, new RequestMeter(process.proxy, this.#stack.chroot));
  }

  /** Until every request is answered and nothing has moved for a while: events have no end that one could wait for. */
  async #quiet(): Promise<void> {
    const activity = () => [...this.#meters.values()].map(({ activity }) => activity);
    await eventually('nothing moves', async () => {
      const before = JSON.stringify(activity());
      await delay(quietMs);
      return before === JSON.stringify(activity()) && activity().every(({ open }) => open === 0);
    });
  }
}

function byRole(costs: (role: CostRole) => Costs): Record<CostRole, Costs> {
  return Object.fromEntries(costRoles.map((role) => [role, costs(role)])) as Record<CostRole, Costs>;
}

/** Number by number: where a process was held up, it saw something else than all other times. */
function middleOf(counted: readonly CountedCosts[]): CountedCosts {
  const middle = (role: CostRole, name: keyof Costs) =>
    counted.map(({ perTask }) => perTask[role][name]).sort((a, b) => a - b)[Math.floor(counted.length / 2)] ?? 0;
  return { phase: 'one at a time', perTask: byRole((role) => mapCosts(noCosts, (_, name) => middle(role, name))) };
}

export function sumOf({ perTask }: CountedCosts): Costs {
  return costRoles.map((role) => perTask[role]).reduce(addCosts, noCosts);
}

/** For people: a row a role, and their sum. */
export function costRows(counted: CountedCosts): string[][] {
  const row = (name: string, costs: Costs) => [
    name,
    ...costNames.map((each) => String(Number(costs[each].toFixed(3)))),
  ];
  return [
    [counted.phase, ...costNames],
    ...costRoles.map((role) => row(role, counted.perTask[role])),
    row('all', sumOf(counted)),
  ];
}

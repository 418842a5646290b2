// The stack that is measured: one ZooKeeper, one master, one worker with 50 slots, one gateway, as `npm start` and the image run
// them; empty, or with many tasks in it. What a load has made is removed again, so that each repetition finds the same.

import { nextSequenceNumber } from '../coordination/task-sequence.ts';
import { paths } from '../coordination/znode-paths.ts';
import type { Operation } from '../coordination/zookeeper-requests.ts';
import { taskIdOf } from '../domain/task-id.ts';
import { taskRecord } from '../test/fault/task-record.ts';
import type { TestScope } from '../test/support/cleanup.ts';
import { eventually } from '../test/support/eventually.ts';
import { createTasks } from '../test/support/many-tasks.ts';
import { calmSessionMs, type Stack, type StackOptions, startStack } from '../test/support/stack.ts';
import type { TestSession } from '../test/support/stack-session.ts';
import type { Driver } from './driver.ts';
import { type BenchZooKeeper, startBenchZooKeeper } from './zookeeper.ts';

/** `finished`: many that are kept. `waiting`: many that no worker takes. */
export type Contents = 'empty' | 'finished' | 'waiting';

export interface BenchStack {
  readonly stack: Stack;
  readonly zookeeper: BenchZooKeeper;
  /** Of the gateway's HTTP. */
  readonly port: number;
  /** Pids of the present processes, by role. */
  pids(): Record<string, number>;
  /** So many more tasks of that kind, which stay. Resolves when the master knows them. */
  grow(contents: 'finished' | 'waiting', tasks: number): Promise<void>;
  /** Removes the tasks that were made since it was ready, or has grown; all of them are final. */
  reset(): Promise<void>;
}

const unbounded = 10_000_000;
const production = { NODE_ENV: 'production' };
export const benchStackOptions: StackOptions = {
  sessionTimeoutMs: calmSessionMs,
  master: { ...production, MAX_FINISHED_TASKS: unbounded },
  worker: { ...production, WORKER_CONCURRENCY: 50 },
  gateway: { ...production, MAX_UNFINISHED_TASKS: unbounded },
};
const removalsAtOnce = 500;
const fillMsMax = 240_000;

/** Ready, with nothing in it. */
export async function startBenchStack(scope: TestScope): Promise<BenchStack> {
  const zookeeper = await startBenchZooKeeper(scope);
  const stack = await startStack(scope, zookeeper, benchStackOptions);
  let first = await nextNumber(stack);
  return {
    stack,
    zookeeper,
    port: Number(new URL(stack.client.url).port),
    pids: () => ({
      gateway: stack.gateway.process.pid,
      master: stack.masters[0]?.process.pid ?? 0,
      worker: stack.workers[0]?.process.pid ?? 0,
      zookeeper: zookeeper.pid,
    }),
    grow: async (contents, tasks) => {
      await fill(stack, contents, tasks);
      first = await nextNumber(stack);
    },
    reset: async () => {
      first = await removeTasksFrom(stack, first);
    },
  };
}

/** The first loads of a process run much slower than all later ones. */
export async function warmUp(driver: Driver, { port, reset }: BenchStack, tasks: number): Promise<void> {
  await driver.run({ work: 'submit', port, tasks, inFlight: 64 });
  await driver.run({ work: 'roundTrips', port, tasks: Math.ceil(tasks / 10), inFlight: 16 });
  await driver.run({ work: 'bulk', port, tasks, inFlight: 2 });
  await reset();
}

async function fill(stack: Stack, contents: 'finished' | 'waiting', tasks: number): Promise<void> {
  const state = contents === 'finished' ? 'succeeded' : 'queued';
  const wanted = ((await counts(stack))[state] ?? 0) + tasks;
  await createMany(await stack.session, contents, tasks);
  await eventually(`the master knows ${wanted} tasks`, async () => (await counts(stack))[state] === wanted, fillMsMax);
}

/** Past every gateway. */
export async function createMany(session: TestSession, contents: 'finished' | 'waiting', tasks: number): Promise<void> {
  const done = { state: 'succeeded', attempt: 1, worker: 'w', result: { n: 1 }, error: null } as const;
  const status = { ...done, startedAt: Date.now(), finishedAt: Date.now() };
  const record = (n: number) => taskRecord({ type: 'nobody-has-it', payload: { n } });
  await createTasks(session, tasks, record, contents === 'finished' ? status : null);
}

async function counts({ client }: Stack): Promise<Record<string, number>> {
  const { body } = await client.request('GET', '/stats');
  return (body as unknown as { tasks: Record<string, number> }).tasks;
}

async function nextNumber(stack: Stack): Promise<number> {
  const stat = await (await stack.session).exists(paths.tasks);
  return stat ? nextSequenceNumber(stat) : 0;
}

/** They are final. Resolves when the master has seen them go, with the number that comes next. */
async function removeTasksFrom(stack: Stack, first: number): Promise<number> {
  const session = await stack.session;
  const end = await nextNumber(stack);
  const remove = (path: string): Operation => ({ kind: 'remove', path, version: null });
  const { succeeded = 0 } = await counts(stack);
  for (let from = first; from < end; from += removalsAtOnce) {
    const numbers = Array.from({ length: Math.min(removalsAtOnce, end - from) }, (_, i) => taskIdOf(from + i));
    await session.commit(numbers.flatMap((id) => [remove(paths.status(id)), remove(paths.task(id))]));
  }
  const kept = succeeded - (end - first);
  await eventually('the master has seen them go', async () => (await counts(stack))['succeeded'] === kept, fillMsMax);
  return end;
}

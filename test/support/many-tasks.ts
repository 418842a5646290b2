// More tasks than one would submit: made directly in the tree, a thousand to a transaction, as gateways and workers would
// have left them; and what tests with so many measure, in the words that they report.

import { encodeTask } from '../../coordination/task-record.ts';
import { paths } from '../../coordination/znode-paths.ts';
import { encodeStatus } from '../../coordination/znode-records.ts';
import type { Operation } from '../../coordination/zookeeper-requests.ts';
import type { StatusRecord, TaskId, TaskRecord } from '../../domain/task.ts';
import type { ServiceProcess } from './process.ts';
import type { TestSession } from './stack-session.ts';

/** How many the tests make; `MANY_TASKS=100000 npm test -- stack-many` makes as many as the documents speak of, in two minutes. */
export const manyTasks = Number(process.env['MANY_TASKS'] ?? 40_000);

/** Heap for a ZooKeeper that holds them. */
export const roomForMany = { jvmFlags: ['-Xmx1g'] } as const;

export const tasksPerTransaction = 1000;
const transactionsAtOnce = 4;

/** Their names. With `status` all of them are final, the earlier ones before. */
export async function createTasks(
  session: TestSession,
  count: number,
  record: (index: number) => TaskRecord,
  status: StatusRecord | null = null,
): Promise<TaskId[]> {
  const ids: TaskId[] = [];
  const lane = async (first: number) => {
    for (let from = first; from < count; from += tasksPerTransaction * transactionsAtOnce) {
      const indices = Array.from({ length: Math.min(tasksPerTransaction, count - from) }, (_, i) => from + i);
      const tasks = indices.map((index) => create(`${paths.tasks}/task-`, encodeTask(record(index)), 'sequential'));
      const made = (await session.commit(tasks)).map(
        ({ path }) => (path ?? '').slice(paths.tasks.length + 1) as TaskId,
      );
      ids.push(...made);
      if (status) await session.commit(made.map((id) => create(paths.status(id), encodeStatus(status))));
    }
  };
  await Promise.all(Array.from({ length: transactionsAtOnce }, (_, i) => lane(i * tasksPerTransaction)));
  return ids;
}

function create(path: string, data: Buffer, mode: 'persistent' | 'sequential' = 'persistent'): Operation {
  return { kind: 'create', path, data, mode };
}

/** The value below which the part `p` (0 to 1) of the values is. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
}

/** `median/p90/worst 3/10/12 ms of 20` */
export function spread(values: readonly number[]): string {
  const [median, p90, worst] = [0.5, 0.9, 1].map((p) => percentile(values, p).toFixed(0));
  return `median/p90/worst ${median}/${p90}/${worst} ms of ${values.length}`;
}

/** A number that the process tells on its admin endpoint. */
export async function metricOf(process: ServiceProcess, name: string): Promise<number> {
  const { admin } = await process.waitForLog((line) => typeof line['admin'] === 'string');
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  if (line === undefined) throw new Error(`${admin} tells no ${name}`);
  return Number(line.slice(name.length + 1));
}

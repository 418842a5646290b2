// Goal: tens of thousands of finished tasks go when their retention is over: the oldest first, many to a transaction, at a pace
// that the work hardly notices, and nothing else goes. Method: they are made directly in the tree while a person holds
// /master; then one of ours takes over and finds them all due. What that costs is judged against the same work after it,
// in the same run, since machines differ.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paths } from '../../coordination/znode-paths.ts';
import type { TaskId } from '../../domain/task.ts';
import { taskRecord } from '../fault/task-record.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import {
  createTasks,
  manyTasks,
  metricOf,
  percentile,
  roomForMany,
  spread,
  tasksPerTransaction,
} from '../support/many-tasks.ts';
import { calmSessionMs, type Stack, startStack } from '../support/stack.ts';
import type { TestSession } from '../support/stack-session.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile, roomForMany);

/** As in services/master/retention-loop.ts: so many go at a time, and then it rests. */
const [removalsAtOnce, restMs] = [100, 20];

interface Worked {
  readonly ids: string[];
  /** From the submit to the answer of each. */
  readonly ms: number[];
}

/** Runs one task after the other until so many are done, or something has come about. */
async function work({ client }: Stack, count: number, isOver = () => false): Promise<Worked> {
  const worked: Worked = { ids: [], ms: [] };
  while (worked.ids.length < count && !isOver()) {
    const startedAt = performance.now();
    const { body } = await client.request('POST', '/tasks?wait=30s', { type: 'echo' });
    assert.equal(body.state, 'succeeded');
    worked.ms.push(performance.now() - startedAt);
    worked.ids.push(body.id);
  }
  return worked;
}

/** In the order in which they go, as a session of the test's own is told. */
async function followRemovals(session: TestSession): Promise<TaskId[]> {
  const removed: TaskId[] = [];
  await session.watchRecursively(paths.tasks, (path, change) => {
    const [, , id, child] = path.split('/');
    if (change === 'removed' && id && !child) removed.push(id as TaskId);
  });
  return removed;
}

async function tasksIn(session: TestSession): Promise<string[]> {
  return (await session.getChildren(paths.tasks))?.children.sort() ?? [];
}

/** The number of the newest transaction. */
async function newestTransaction(session: TestSession, name: string): Promise<number> {
  await session.create(`/${name}`);
  return Number((await session.exists(`/${name}`))?.czxid ?? 0n);
}

test('tens of thousands that are over go, and the work goes on', { timeout: 500_000 }, async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs, masters: 0 });
  const session = await stack.session;
  await session.create('/master', 'a person', 'ephemeral');
  const { process: master } = await stack.addMaster({ MIN_RETENTION_MS: 0 });
  const done = { state: 'succeeded', attempt: 1, worker: 'w', startedAt: 0, finishedAt: 0 } as const;
  const status = { ...done, result: 'done', error: null };
  const due = { type: 'nobody-has-it', retentionMs: 0 };
  const over = await createTasks(session, manyTasks, () => taskRecord(due), status);
  const kept = await createTasks(session, 500, () => taskRecord({ ...due, retentionMs: 3_600_000 }), status);
  const waiting = await createTasks(session, 500, () => taskRecord(due));
  const queued = () => metricOf(master, 'taskkeeper_tasks{state="queued"}');
  await eventually('the master knows them all', async () => (await queued()) === waiting.length, 240_000);
  const removed = await followRemovals(session);
  const firstTransaction = await newestTransaction(session, 'before');
  const begunAt = performance.now();
  await session.remove('/master');
  let goneAt = 0;
  const during = await work(stack, Infinity, () => {
    if (removed.length >= over.length) goneAt ||= performance.now();
    return goneAt > 0;
  });
  const transactions = (await newestTransaction(session, 'after')) - firstTransaction;
  const after = await work(stack, Math.min(500, during.ids.length));

  const ms = goneAt - begunAt;
  const perSecond = Math.round((over.length * 1000) / ms);
  t.diagnostic(`${over.length} removed in ${Math.round(ms)} ms, ${perSecond} a second, ${transactions} transactions`);
  t.diagnostic(`a task from submit to answer meanwhile: ${spread(during.ms)}; after that: ${spread(after.ms)}`);
  assert.deepEqual(await tasksIn(session), [...kept, ...waiting, ...during.ids, ...after.ids].sort());
  // Those of one transaction have ended at the same time, and may go in any order.
  const lots = new Map(over.map((id, place) => [id, Math.floor(place / tasksPerTransaction)]));
  const order = removed.map((id) => lots.get(id) ?? Number.NaN);
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
    'the oldest go first',
  );
  assert.equal(removed.length, over.length);

  const batches = over.length / removalsAtOnce;
  // Of a task: submit, assignment, outcome. Twice a second: the backlog, and a standby's or gateway's own.
  const others = 3 * during.ids.length + (2 * ms) / 1000 + 20;
  assert.ok(transactions - others < 1.2 * batches, 'transactions are full');
  assert.ok(ms > 0.9 * batches * restMs, 'it rests');
  assert.ok(ms < 10 * batches * restMs, 'and gets on');
  const [median, medianAfter] = [percentile(during.ms, 0.5), percentile(after.ms, 0.5)];
  assert.ok(median < 3 * medianAfter + 5, `${median} ms, and ${medianAfter} ms after that`);
});

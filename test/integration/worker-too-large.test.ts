// Goal: an outcome that is larger than a packet to ZooKeeper ends its run all the same. Method: one run on a real session,
// with a handler that results in more than the handlers of a worker can.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { AttemptLedger } from '../../coordination/attempt-ledger.ts';
import { ensureParents } from '../../coordination/bootstrap.ts';
import { GroupCommit } from '../../coordination/group-commit.ts';
import { limits } from '../../domain/limits.ts';
import type { AttemptRecord, Json, TaskId, WorkerId } from '../../domain/task.ts';
import { createLog } from '../../runtime/log.ts';
import type { HandlerRegistry } from '../../services/worker/handler-registry.ts';
import { HeldAssignment } from '../../services/worker/held-assignment.ts';
import { runAssignment } from '../../services/worker/run.ts';
import { TaskReads } from '../../services/worker/task-reads.ts';
import { wholeFile } from '../support/cleanup.ts';
import { openSession } from '../support/stack-session.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { assign, createTask, statusOf } from './worker-by-hand.ts';

const zookeeper = await startZooKeeper(wholeFile);

async function start(t: TestContext, chroot: string, data: string) {
  const session = await openSession(t, zookeeper.connect + chroot);
  await ensureParents(session);
  await session.create('/assign/ours1');
  const task = (await createTask(session, data)) as TaskId;
  const run = async (assignmentData: string, result: Json) => {
    const assignment = await assign(session, task, assignmentData);
    const znode = await session.getData(assignment);
    assert.ok(znode);
    const registry = { run: async () => result } as unknown as HandlerRegistry;
    const ledger = new AttemptLedger(new GroupCommit(session));
    const log = createLog('test', 'silent');
    const context = {
      session,
      worker: 'ours1' as WorkerId,
      ledger,
      reads: new TaskReads(session, 1),
      registry,
      log,
      onAttemptEnded: () => undefined,
    };
    await runAssignment(context, new HeldAssignment(task, znode));
    assert.equal(await session.exists(assignment), null);
  };
  return { session, task, run };
}

test('a result that is too large fails the attempt, and the task with the last one', async (t) => {
  const { session, task, run } = await start(t, '/result', '{"v":1,"type":"large","maxAttempts":2}');
  const result = 'x'.repeat(limits.packetBytesMax);
  await run('{"v":1,"attempt":1}', result);
  const first = JSON.parse((await session.getData(`/tasks/${task}/attempt-1`))?.data.toString() ?? '') as AttemptRecord;
  assert.deepEqual([first.outcome, first.error?.code], ['failed', 'invalid_result']);
  assert.notEqual(first.retryAt, null);
  await run('{"v":1,"attempt":2}', result);
  assert.equal((await statusOf(session, task)).error?.code, 'invalid_result');
});

test('a reason that is too large is cut', async (t) => {
  const { session, task, run } = await start(t, '/reason', '{"v":1,"type":"any"}');
  await session.create(`/tasks/${task}/cancel`, '\u0001'.repeat(400_000)); // six bytes each as JSON
  await run('{"v":1,"attempt":1,"withdraw":"cancelled"}', null);
  const { state, error } = await statusOf(session, task);
  assert.deepEqual([state, error?.message], ['cancelled', '\u0001'.repeat(limits.errorMessageCharactersMax)]);
});

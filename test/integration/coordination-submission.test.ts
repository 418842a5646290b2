// Goal: a submit makes exactly one task, or none, and says which, whatever becomes of the link; only where the session
// itself is lost, or what was made meanwhile is removed, does it say that it does not know.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ensureParents } from '../../coordination/bootstrap.ts';
import { nextSequenceNumber } from '../../coordination/task-sequence.ts';
import { TaskSubmission } from '../../coordination/task-submission.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { TaskId, TaskRecord } from '../../domain/task.ts';
import { taskIdOf, taskNumber } from '../../domain/task-id.ts';
import { create, openSession, reached, type TestSessionOptions } from '../fault/session-harness.ts';
import { taskRecord } from '../fault/task-record.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { dataReadsIn } from '../support/wire-operations.ts';
import { opcodes } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const isMulti = (opcode: number) => opcode === opcodes.multi;

/** Each test has a tree of its own. */
async function submitting(t: TestContext, options: TestSessionOptions = {}) {
  const chroot = `/${t.name.replaceAll(/[^a-z]+/g, '-').slice(0, 40)}`;
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000, chroot, ...options });
  const { session: observer } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000, chroot });
  await ensureParents(session);
  const submission = new TaskSubmission(session);
  await submission.start();
  const tasks = async () => (await observer.getChildren(paths.tasks))?.children.sort() ?? [];
  const submit = async (members: Partial<TaskRecord> = {}) => {
    const made = await submission.submit([taskRecord(members)]);
    assert.equal(made.length, 1);
    return made[0] as TaskId;
  };
  return { proxy, session, observer, submission, submit, tasks };
}

test('the answer is lost: one task, and the submit returns it', async (t) => {
  const { proxy, submit, tasks } = await submitting(t);
  await submit();
  const swallowed = proxy.swallowNextReply(isMulti);
  const task = await submit({ payload: 'lost' });
  assert.equal((await swallowed).error, 0);
  assert.deepEqual(await tasks(), ['task-0000000000', 'task-0000000001']);
  assert.equal(task, 'task-0000000001');
});

test('the answer to many is lost: each gets its own', async (t) => {
  const { proxy, observer, submit, tasks } = await submitting(t);
  const swallowed = proxy.swallowNextReply(isMulti);
  let reads = 0;
  proxy.onFrame(({ opcode, body }) => {
    reads += dataReadsIn(opcode, body).length;
  });
  const payloads = Array.from({ length: 200 }, (_, i) => i);
  const made = await Promise.all(payloads.map((payload) => submit({ payload })));
  await swallowed;
  assert.deepEqual([...made].sort(), await tasks());
  assert.ok(reads <= 200, `${reads} reads: each task is looked at once, for all that search`);
  for (const [payload, task] of made.entries()) {
    const znode = await observer.getData(paths.task(task));
    assert.equal(JSON.parse(znode?.data.toString() ?? '').payload, payload);
  }
});

test('the request is lost: that is certain, and it is sent again, three times in all', async (t) => {
  const { proxy, submit, tasks } = await submitting(t);
  const twice = [proxy.dropNextRequest(isMulti), proxy.dropNextRequest(isMulti)];
  assert.equal(await submit(), 'task-0000000000');
  await Promise.all(twice);
  const thrice = [1, 2, 3].map(() => proxy.dropNextRequest(isMulti));
  await assert.rejects(submit(), { outcome: 'not applied' });
  await Promise.all(thrice);
  assert.deepEqual(await tasks(), ['task-0000000000']);
});

test('the request is lost, then the answer: one task', async (t) => {
  const { proxy, submit, tasks } = await submitting(t);
  const dropped = proxy.dropNextRequest(isMulti);
  const swallowed = dropped.then(() => proxy.swallowNextReply(isMulti));
  assert.equal(await submit(), 'task-0000000000');
  assert.equal((await swallowed).error, 0);
  assert.deepEqual(await tasks(), ['task-0000000000']);
});

test('what was made since is gone again: unknown whether it was it, and not sent again', async (t) => {
  const { proxy, observer, submit, tasks } = await submitting(t);
  await submit();
  const swallowed = proxy.swallowNextReply(isMulti);
  proxy.refuse();
  const overtaken = assert.rejects(submit(), { outcome: 'unknown' });
  await swallowed;
  await observer.commit([{ kind: 'remove', path: paths.task(taskIdOf(1)), version: null }]);
  await proxy.heal();
  await overtaken;
  assert.deepEqual(await tasks(), ['task-0000000000']);
  assert.equal(await submit(), 'task-0000000002');
  const dropped = proxy.dropNextRequest(isMulti);
  assert.equal(await submit(), 'task-0000000003', 'what is gone since then says nothing of the next');
  await dropped;
});

test('the session is lost with it: unknown', async (t) => {
  const { proxy, session, submit } = await submitting(t, { sessionTimeoutMs: 800 });
  const swallowed = proxy.swallowNextReply(isMulti);
  proxy.refuse();
  const submitted = assert.rejects(submit(), { outcome: 'unknown' });
  await swallowed;
  await reached(session, 'lost');
  await submitted;
});

test('the deadline passes with the link up: found by looking', async (t) => {
  const { proxy, submit, tasks } = await submitting(t, { operationTimeoutMs: 400 });
  proxy.silence('toClient');
  const submitted = submit();
  await proxy.nextFrame((frame) => frame.opcode === 9); // the sync of the search
  await proxy.heal();
  assert.equal(await submitted, 'task-0000000000');
  assert.equal((await tasks()).length, 1);
});

test('the next number is that of the server, also after removals and other names', async (t) => {
  const { session, submit, observer } = await submitting(t);
  const first = await submit();
  await submit();
  await observer.commit([create('/tasks/other-', '', 'sequential'), create('/tasks/plain')]);
  await observer.commit([{ kind: 'remove', path: paths.task(first), version: null }]);
  const later = new TaskSubmission(session);
  await later.start();
  assert.equal(later.nextNumber, 4);
  assert.deepEqual(await later.submit([taskRecord()]), ['task-0000000004']);
  assert.equal(later.nextNumber, 5);
});

test('the next number beyond 2^30 creations, where cversion is negative', () => {
  for (const [creations, children] of [
    [2 ** 30 + 5, 7],
    [2_147_000_000, 100_000],
    [12, 0],
  ] as const) {
    const cversion = (creations * 2 - children) | 0;
    assert.equal(nextSequenceNumber({ cversion, numChildren: children }), creations);
  }
});

test('names that people made and that come next are stepped over', async (t) => {
  const { submit, submission, observer } = await submitting(t);
  assert.equal(await submit(), 'task-0000000000');
  await observer.commit([create('/tasks/task-0000000002', 'echo by hand')]);
  assert.equal(await submit(), 'task-0000000003');
  // One that comes within a batch, and a row of them.
  for (let number = 10; number < 30; number += 1) await observer.commit([create(paths.task(taskIdOf(number)), 'x')]);
  const batch = (size: number) =>
    submission.submit(Array.from({ length: size }, () => taskRecord({ submitId: `${size}` })));
  await observer.commit([create(paths.task(taskIdOf(30)), 'x'), create(paths.task(taskIdOf(31)), 'x')]);
  const made = await batch(8);
  assert.deepEqual(
    made,
    made.map((_, place) => taskIdOf(taskNumber(made[0] as TaskId) + place)),
  );
  await observer.commit([create('/tasks/task-9999999999', 'echo far ahead')]);
  await submit();
});

test('/tasks was removed by hand: made again, and a lost answer is found among numbers that begin anew', async (t) => {
  const { proxy, observer, submit } = await submitting(t);
  const tasks = await Promise.all(Array.from({ length: 5 }, () => submit()));
  assert.equal(Math.max(...tasks.map(taskNumber)), 4);
  await observer.commit(
    [...tasks.map(paths.task), paths.tasks].map((path) => ({ kind: 'remove', path, version: null })),
  );
  await assert.rejects(submit(), { code: 'no_node', outcome: 'not applied' });
  const swallowed = proxy.swallowNextReply(isMulti);
  const found = await submit();
  await swallowed;
  assert.equal(found, 'task-0000000000');
});

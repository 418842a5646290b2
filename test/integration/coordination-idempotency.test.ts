// Goal: one key makes one task, whoever repeats the submit, at the same time or after a lost answer, in this session or the
// next; the same key with another request is refused; a key that was left without its task counts for nothing.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ensureParents } from '../../coordination/bootstrap.ts';
import { submitOnce } from '../../coordination/idempotent-submission.ts';
import { keyPaths } from '../../coordination/key-paths.ts';
import type { Session } from '../../coordination/session.ts';
import { TaskSubmission } from '../../coordination/task-submission.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { TaskId, TaskRecord } from '../../domain/task.ts';
import { create, openSession, reached } from '../fault/session-harness.ts';
import { taskRecord } from '../fault/task-record.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { opcodes } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const fingerprint = 'of one request';
/** Of a transaction with a task in it, not of one that makes a bucket or removes a key. */
const makesTask = (opcode: number, request: Buffer) => opcode === opcodes.multi && request.includes(paths.taskPrefix);

class Gateway {
  readonly #submission: TaskSubmission;

  constructor(readonly session: Session) {
    this.#submission = new TaskSubmission(session);
  }

  async submit(idempotencyKey: string, print = fingerprint) {
    const { tasks, created } = await this.submitAll([taskRecord({ idempotencyKey })], print);
    assert.equal(tasks.length, 1);
    return { task: tasks[0] as TaskId, created };
  }

  submitAll(records: readonly TaskRecord[], print = fingerprint) {
    return submitOnce(this.session, this.#submission, records, print, () => undefined);
  }
}

async function setUp(t: TestContext, sessionTimeoutMs = 10_000) {
  const chroot = `/${t.name.replaceAll(/[^a-z]+/g, '-').slice(0, 40)}`;
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs, chroot });
  const { session: other } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000, chroot });
  await ensureParents(other);
  const tasks = async () => (await other.getChildren(paths.tasks))?.children.sort() ?? [];
  return { proxy, gateway: new Gateway(session), otherGateway: new Gateway(other), other, tasks };
}

/** So that the first transaction is the one that makes the task. */
const makeBucket = (session: Session) => session.commit([create(keyPaths('key').bucket)]);

test('repeated: the first task, from whichever gateway', async (t) => {
  const { gateway, otherGateway, tasks } = await setUp(t);
  const first = await gateway.submit('key');
  assert.equal(first.created, true);
  for (const again of [await gateway.submit('key'), await otherGateway.submit('key')]) {
    assert.equal(again.task, first.task);
    assert.equal(again.created, false);
  }
  assert.notEqual((await gateway.submit('other key')).task, first.task);
  assert.equal((await tasks()).length, 2);
});

test('the answer is lost: found by its key, and it counts as created', async (t) => {
  const { proxy, gateway, other, tasks } = await setUp(t);
  await makeBucket(other);
  const swallowed = proxy.swallowNextReply(makesTask);
  const made = await gateway.submit('key');
  assert.equal((await swallowed).error, 0);
  assert.deepEqual([made.created, made.task], [true, 'task-0000000000']);
  assert.equal((await tasks()).length, 1);
});

test('the request is lost: made at the second attempt', async (t) => {
  const { proxy, gateway, other, tasks } = await setUp(t);
  await makeBucket(other);
  const dropped = proxy.dropNextRequest(makesTask);
  assert.equal((await gateway.submit('key')).created, true);
  await dropped;
  assert.equal((await tasks()).length, 1);
});

test('the session is lost with the answer: unknown, and a repeat in another session finds the task', async (t) => {
  const { proxy, gateway, other, otherGateway, tasks } = await setUp(t, 800);
  await makeBucket(other);
  const swallowed = proxy.swallowNextReply(makesTask);
  proxy.refuse();
  const submit = assert.rejects(gateway.submit('key'), { outcome: 'unknown' });
  await swallowed;
  await reached(gateway.session, 'lost');
  await submit;
  const again = await otherGateway.submit('key');
  assert.equal(again.created, false);
  assert.equal((await tasks()).length, 1);
});

test('many at the same time with one key: one makes the task, the others get it', async (t) => {
  const { gateway, otherGateway, tasks } = await setUp(t);
  const gateways = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? gateway : otherGateway));
  const results = await Promise.all(gateways.map((each) => each.submit('key')));
  assert.equal(results.filter(({ created }) => created).length, 1);
  assert.equal(new Set(results.map(({ task }) => task)).size, 1);
  assert.equal((await tasks()).length, 1);
});

test('many keys at once, whose buckets have to be made first', async (t) => {
  const { gateway, other, tasks } = await setUp(t);
  const results = await Promise.all(Array.from({ length: 60 }, (_, i) => gateway.submit(`key ${i}`)));
  assert.equal(new Set(results.map(({ task }) => task)).size, 60);
  assert.equal((await tasks()).length, 60);
  assert.ok(((await other.getChildren(paths.idempotency))?.children.length ?? 0) > 10);
});

test('the key again for another request is refused', async (t) => {
  const { gateway, otherGateway, tasks } = await setUp(t);
  await gateway.submit('key');
  await assert.rejects(otherGateway.submit('key', 'of another request'), { name: 'IdempotencyKeyReused' });
  assert.equal((await tasks()).length, 1);
});

test('a key whose task is gone makes a new one; also a key that cannot be read', async (t) => {
  const { gateway, other, tasks } = await setUp(t);
  const first = await gateway.submit('key');
  await other.commit([{ kind: 'remove', path: paths.task(first.task), version: null }]);
  const second = await gateway.submit('key');
  assert.equal(second.created, true);
  assert.deepEqual(await tasks(), [second.task]);

  const [bucket] = (await other.getChildren(paths.idempotency))?.children ?? [];
  const [hash] = (await other.getChildren(`${paths.idempotency}/${bucket}`))?.children ?? [];
  const path = `${paths.idempotency}/${bucket}/${hash}`;
  await other.commit([{ kind: 'set', path, data: Buffer.from('by hand'), version: null }]);
  assert.equal((await gateway.submit('key')).created, true);
});

test('the parents were removed by hand', async (t) => {
  const { gateway, other, tasks } = await setUp(t);
  await other.commit([
    { kind: 'remove', path: paths.idempotency, version: null },
    { kind: 'remove', path: paths.tasks, version: null },
  ]);
  assert.equal((await gateway.submit('key')).created, true);
  assert.equal((await tasks()).length, 1);
});

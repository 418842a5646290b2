// Goal: a gateway whose server is behind answers nothing that was not true any more when it was asked. Method: two gateways'
// stores, one at the leader, one at a follower that hears everything a quarter of a second late; so each old picture that
// could be believed is there in every run.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { keyPaths } from '../../coordination/key-paths.ts';
import { paths } from '../../coordination/znode-paths.ts';
import { taskRecord } from '../fault/task-record.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startEnsembleWithLink } from '../support/follower-link.ts';
import { openSession } from '../support/stack-session.ts';
import { finish, startStore } from './store-harness.ts';

const { leader, follower, link } = await startEnsembleWithLink(wholeFile);
const lagMs = 250;

/** Sessions at the same server see the same; `behind` shows what the late store's server shows. */
async function lateStore(t: TestContext, chroot: string) {
  link.lagMs = 0;
  const [present, late] = [await startStore(t, leader, { chroot }), await startStore(t, follower, { chroot })];
  const session = await openSession(t, `${leader.connect}${chroot}`);
  const behind = await openSession(t, `${follower.connect}${chroot}`);
  link.lagMs = lagMs;
  return { present, late, session, behind };
}

test('a key whose task was deleted a moment ago makes a new one, whatever the request is', async (t) => {
  const { present, late, session, behind } = await lateStore(t, '/deleted-key');
  for (const print of ['of the same request', 'of another request']) {
    const { id } = await present.submit(taskRecord({ idempotencyKey: print }), 'of the same request');
    await finish(session, id);
    await behind.sync('/');
    assert.equal(await present.remove(id), 'removed');
    assert.ok(await behind.exists(keyPaths(print).path), 'the follower is behind');
    const again = await late.submit(taskRecord({ idempotencyKey: print }), print);
    assert.equal(again.created, true, print);
    assert.ok(await session.exists(paths.task(again.id)));
  }
});

test('a key that was made a moment ago is found', async (t) => {
  const { present, late, behind } = await lateStore(t, '/new-key');
  const { id } = await present.submit(taskRecord({ idempotencyKey: 'k' }), 'print');
  assert.equal(await behind.exists(keyPaths('k').path), null, 'the follower is behind');
  const again = await late.submit(taskRecord({ idempotencyKey: 'k' }), 'print');
  assert.deepEqual([again.id, again.created], [id, false]);
});

test('a task that was taken a moment ago is there; its end is seen by who has to know', async (t) => {
  const { present, late, session, behind } = await lateStore(t, '/new-task');
  const { id } = await present.submit(taskRecord(), null);
  assert.equal(await behind.exists(paths.task(id)), null, 'the follower is behind');
  const task = await late.read(id);
  assert.deepEqual([task?.id, task?.status], [id, null]);
  await finish(session, id);
  assert.equal((await late.read(id))?.status, null, 'the follower is behind');
  assert.equal((await late.readFresh(id))?.status?.state, 'succeeded');
});

test('what a task comes after is there or not as the leader knows it', async (t) => {
  const { present, late, session, behind } = await lateStore(t, '/dependencies');
  const { id } = await present.submit(taskRecord(), null);
  assert.equal(await behind.exists(paths.task(id)), null, 'the follower is behind');
  assert.equal((await late.submit(taskRecord({ after: [id] }), null)).created, true);
  await finish(session, id);
  await behind.sync('/');
  assert.equal(await present.remove(id), 'removed');
  assert.ok(await behind.exists(paths.task(id)), 'the follower is behind');
  await assert.rejects(late.submit(taskRecord({ after: [id] }), null), { reason: 'dependency-not-found' });
});

test('a submit with a key is found again though what it came after is gone, and neither is known here', async (t) => {
  const { present, late, session, behind } = await lateStore(t, '/gone-dependency');
  const { id: first } = await present.submit(taskRecord(), null);
  const keyed = () => taskRecord({ after: [first], idempotencyKey: 'k' });
  const { id } = await present.submit(keyed(), 'print');
  await session.remove(paths.task(first));
  assert.equal(await behind.exists(keyPaths('k').path), null, 'the follower is behind');
  const again = await late.submit(keyed(), 'print');
  assert.deepEqual([again.id, again.created], [id, false]);
});

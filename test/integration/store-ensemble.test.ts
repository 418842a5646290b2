// Goal: what one gateway was told is done counts for the next, whichever server each of them asks: a removal, a look at a key
// and a change of settings never go by what an older server still shows. Method: two stores on different servers of an
// ensemble, whose followers lag behind each other by themselves; many rounds, as a lag is short.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paths } from '../../coordination/znode-paths.ts';
import { defaultQueueSettings } from '../../domain/queue-settings.ts';
import { taskRecord } from '../fault/task-record.ts';
import { wholeFile } from '../support/cleanup.ts';
import { openSession } from '../support/stack-session.ts';
import { startEnsemble } from '../support/zookeeper-ensemble.ts';
import { finish, startStore } from './store-harness.ts';

const ensemble = await startEnsemble(wholeFile);
const rounds = 200;

test('on another server: removed, found by its key, lifted, cancelled, at once', async (t) => {
  const chroot = '/lagging';
  const leader = await ensemble.leader();
  const [follower] = await ensemble.followers();
  assert.ok(follower);
  const session = await openSession(t, `${leader.connect}${chroot}`);
  const [first, second] = [await startStore(t, leader, { chroot }), await startStore(t, follower, { chroot })];
  for (let round = 0; round < rounds; round += 1) {
    const { id } = await first.submit(taskRecord({ idempotencyKey: `round ${round}` }), 'print');
    await finish(session, id);
    assert.equal(await second.remove(id), 'removed', `round ${round}`);
    assert.equal(await first.remove(id), 'no such task');
    const other = await first.submit(taskRecord(), null);
    assert.equal(await second.cancel(other.id, ''), true);
    await first.updateQueue('q', { paused: true });
    assert.deepEqual(await second.updateQueue('q', { paused: false }), defaultQueueSettings);
    await session.sync(paths.queues); // the leader answers its clients after it has told a follower
    assert.equal(await session.exists(paths.queue('q')), null, `round ${round}`);
  }
});

test('on another server, under load: what was just made is found by its key', async (t) => {
  const chroot = '/loaded';
  const [leader, followers] = [await ensemble.leader(), await ensemble.followers()];
  const [first, ...others] = await Promise.all(
    [leader, ...followers].map((server) => startStore(t, server, { chroot })),
  );
  assert.ok(first);
  const keys = Array.from({ length: 1000 }, (_, i) => `key ${i}`);
  await Promise.all(
    keys.map(async (idempotencyKey, i) => {
      const { id } = await first.submit(taskRecord({ idempotencyKey, payload: 'x'.repeat(10_000) }), 'print');
      const found = await others[i % others.length]?.findByKey(idempotencyKey, 'print');
      assert.equal(found?.id, id);
    }),
  );
});

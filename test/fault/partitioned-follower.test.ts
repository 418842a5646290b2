// Goal: a session whose server has lost its leader is given up before the leader gives what it holds to another. A
// follower answers pings and reads by itself for `syncLimit` ticks after its link to the leader broke, while the leader,
// which hears nothing of the session any more, expires it after the session timeout. So those answers prove nothing, and
// only the leader's count. Method: three servers, one follower's link to the leader goes silent.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startEnsembleWithLink } from '../support/follower-link.ts';
import { aborted, create, gone, openSession } from './session-harness.ts';

test('the session of a follower without a leader is given up before its ephemerals go', async (t) => {
  const { follower, leader, link } = await startEnsembleWithLink(t);
  const { session } = await openSession(t, follower, { sessionTimeoutMs: 1000 });
  const { session: observer } = await openSession(t, leader, { sessionTimeoutMs: 30_000 });
  await session.commit([create('/held', '', 'ephemeral')]);
  const goneAt = gone(observer, '/held');
  const abortedAt = aborted(session.signal, 20_000);
  link.silent = true;
  // The follower goes on answering these for a while.
  const reading = (async () => {
    while (!session.signal.aborted) await session.exists('/held').catch(() => undefined);
  })();
  assert.ok((await abortedAt) < (await goneAt), `${Math.round((await abortedAt) - (await goneAt))} ms too late`);
  await reading;
});

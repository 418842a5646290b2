// Goal: a session is trusted from the sending of what its leader must have heard of, less a margin, and a link that the
// leader does not answer over is given up in time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SessionLease } from '../../../coordination/session-lease.ts';

/** Granted at the first time; the later ones were answered by the leader at once. */
function lease(timeoutMs: number, ...answeredSends: number[]): SessionLease {
  const [first = 0, ...later] = answeredSends;
  const made = new SessionLease();
  made.granted(timeoutMs, first);
  for (const at of later) answered(made, at, at);
  return made;
}

function answered(made: SessionLease, sentAt: number, answeredAt: number): void {
  made.asked(sentAt);
  made.confirmed(sentAt, answeredAt);
}

test('before the first handshake nothing is trusted', () => {
  const none = new SessionLease();
  assert.deepEqual([none.timeoutMs, none.trustedUntil], [0, 0]);
});

test('a handshake counts from when it was sent, less a twentieth, and 25 ms at least', () => {
  assert.equal(lease(6000, 1000).trustedUntil, 1000 + 6000 - 300);
  assert.equal(lease(400, 1000).trustedUntil, 1000 + 400 - 25);
});

test('an answer of the leader proves that it heard of what was sent a sixth of the timeout before', () => {
  assert.equal(lease(6000, 1000, 1500).trustedUntil, 1000 + 5700, 'nothing newer than the handshake is that old');
  assert.equal(lease(6000, 1000, 2000, 2999).trustedUntil, 1000 + 5700);
  assert.equal(lease(6000, 1000, 2000, 3000).trustedUntil, 2000 + 5700);
  assert.equal(lease(6000, 1000, 2000, 3000, 9000).trustedUntil, 3000 + 5700);
});

test('an answer to something older takes nothing back; a server that grants less counts at once', () => {
  assert.equal(lease(6000, 1000, 2000, 3000, 2500).trustedUntil, 2000 + 5700);
  const shorter = lease(6000, 1000);
  shorter.granted(2000, 1200);
  assert.equal(shorter.trustedUntil, 1200 + 1900);
});

test('what was answered late may have been received late: it counts from its answer on', () => {
  const late = lease(6000, 1000);
  answered(late, 2000, 2900);
  answered(late, 3000, 3000);
  assert.equal(late.trustedUntil, 1000 + 5700);
  answered(late, 3900, 3900);
  assert.equal(late.trustedUntil, 2000 + 5700);
});

test('silent after two fifths of the timeout without an answer, with a heartbeat in it', () => {
  const six = lease(6000, 1000);
  assert.equal(six.heartbeatAt, 1000 + 1200);
  six.asked(2200);
  assert.equal(six.silentAt, 1000 + 2400);
  assert.equal(six.heartbeatAt, 2200 + 1200);
});

test('nothing that was asked is unanswered: that is no silence, however long it lasts', () => {
  assert.equal(lease(6000, 1000, 2000).silentAt, Infinity);
});

test('after a pause of our own the leader has a fifth of the timeout to answer', () => {
  const paused = lease(6000, 1000, 2000);
  paused.asked(5000);
  assert.equal(paused.silentAt, 5000 + 1200);
  paused.asked(5100);
  assert.equal(paused.silentAt, 5000 + 1200, 'the oldest that is unanswered counts');
  paused.confirmed(5000, 5200);
  assert.equal(paused.silentAt, 5000 + 2400, 'and as the newest that was answered, the other way round');
});

test('a new link owes no answer to what was asked over the last one', () => {
  const moved = lease(6000, 1000);
  moved.asked(2200);
  moved.granted(6000, 4000);
  assert.equal(moved.silentAt, Infinity);
  assert.equal(moved.heartbeatAt, 4000 + 1200);
});

test('the link is given up before the session, and nothing is trusted for longer than what was sent allows', () => {
  const gap = fc.integer({ min: 1, max: 3000 });
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 60_000 }), fc.array(gap, { maxLength: 40 }), (timeoutMs, gaps) => {
      const sends = [1000];
      for (const ms of gaps) sends.push((sends.at(-1) ?? 0) + ms);
      const any = lease(timeoutMs, ...sends);
      const newest = sends.at(-1) ?? 0;
      const heardOf = Math.max(1000, ...sends.filter((at) => at <= newest - timeoutMs / 6));
      assert.ok(any.trustedUntil < heardOf + timeoutMs);
      any.asked(newest + timeoutMs / 5);
      assert.ok(any.silentAt < newest + timeoutMs / 2);
    }),
  );
});

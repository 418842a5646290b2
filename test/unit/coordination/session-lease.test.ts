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
  for (const at of later) made.confirmed(at, at);
  return made;
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
  late.confirmed(2000, 2900);
  late.confirmed(3000, 3000);
  assert.equal(late.trustedUntil, 1000 + 5700);
  late.confirmed(3900, 3900);
  assert.equal(late.trustedUntil, 2000 + 5700);
});

test('silent after two fifths of the timeout without an answer, with a heartbeat in it', () => {
  const six = lease(6000, 1000);
  assert.equal(six.heartbeatMs, 1200);
  assert.equal(six.silentAt, 1000 + 2400);
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
      assert.ok(any.silentAt < newest + timeoutMs / 2);
    }),
  );
});

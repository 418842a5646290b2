// Goal: a session is trusted from the sending of what was answered, less a margin, and a link is given up in time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SessionLease } from '../../../coordination/session-lease.ts';

function lease(timeoutMs: number, ...answeredSends: number[]): SessionLease {
  const [first = 0, ...later] = answeredSends;
  const made = new SessionLease();
  made.granted(timeoutMs, first);
  for (const at of later) made.answered(at);
  return made;
}

test('before the first handshake nothing is trusted', () => {
  const none = new SessionLease();
  assert.deepEqual([none.timeoutMs, none.trustedUntil], [0, 0]);
});

test('trusted until the newest answered send and the timeout, less a twentieth, and 25 ms at least', () => {
  assert.equal(lease(6000, 1000).trustedUntil, 1000 + 6000 - 300);
  assert.equal(lease(400, 1000).trustedUntil, 1000 + 400 - 25);
  assert.equal(lease(6000, 1000, 1500).trustedUntil, 1500 + 5700);
});

test('an answer to something older takes nothing back; a server that grants less counts at once', () => {
  assert.equal(lease(6000, 1500, 1000).trustedUntil, 1500 + 5700);
  const shorter = lease(6000, 1000);
  shorter.granted(2000, 1200);
  assert.equal(shorter.trustedUntil, 1200 + 1900);
});

test('silent after two thirds of the timeout without an answer, pings three times in it', () => {
  const six = lease(6000, 1000);
  assert.equal(six.pingAfterMs, 2000);
  assert.deepEqual([six.isSilent(4999), six.isSilent(5000)], [false, true]);
});

test('the link is given up before the session, whatever the timeout', () => {
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 60_000 }), fc.nat(1_000_000), (timeoutMs, sentAt) => {
      const any = lease(timeoutMs, sentAt);
      assert.ok(any.trustedUntil < sentAt + timeoutMs);
      assert.ok(any.isSilent(any.trustedUntil));
    }),
  );
});

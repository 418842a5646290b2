// Goal: an ensemble that hangs, though one leads and another follows, has its leader restarted, and that is written down; one that answers, or that has
// nobody who leads, is left alone. Method: made-up servers, and short times.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EnsembleGuard, type GuardEyes } from '../../../chaos/fleet/ensemble-guard.ts';
import type { Fault } from '../../../chaos/record.ts';
import { Changes } from '../../support/changes.ts';
import type { TestScope } from '../../support/cleanup.ts';

const times = { lookMs: 5, hangingMsMax: 30 };
type Modes = readonly ('leader' | 'follower' | null)[];

function guarded(scope: TestScope, modes: Modes, session: GuardEyes['session']) {
  const done: string[] = [];
  const faults: Fault[] = [];
  const changes = new Changes();
  const servers = modes.map((mode, i) => ({
    id: `zookeeper${i + 1}`,
    mode: async () => mode,
    process: { end: async (signal: string) => void done.push(signal), start: () => void done.push('start') },
  }));
  const note = (fault: Fault) => {
    faults.push(fault);
    changes.announce();
  };
  let looks = 0;
  const eyes = {
    get session() {
      looks++;
      changes.announce();
      return session;
    },
  };
  const guard = new EnsembleGuard(scope, servers, eyes, note, times);
  const restarted = () =>
    changes.until(
      () => faults.find(({ to }) => to !== null) ?? null,
      5000,
      (late) => (late ? new Error('nothing was restarted') : null),
    );
  const looked = (count: number) =>
    changes.until(
      () => (looks >= count ? true : null),
      5000,
      (late) => (late ? new Error(`only ${looks} looks`) : null),
    );
  return { guard, done, faults, restarted, looked };
}

const silent = { sync: () => new Promise<void>(() => undefined) };
const refusing = { sync: () => Promise.reject(new Error('no answer')) };

for (const [what, session] of Object.entries({ 'no session': null, 'no answer': silent, 'a refusal': refusing })) {
  test(`with ${what} the leader of those that serve is restarted`, async (t) => {
    const { guard, done, faults, restarted } = guarded(t, ['follower', 'leader', null], session);
    const { n, fault, targets, from } = await restarted();
    assert.deepEqual([fault, targets], ['kill', ['zookeeper2']]);
    assert.deepEqual(faults[0], { kind: 'fault', n, fault, targets, from, to: null });
    assert.deepEqual(done.slice(0, 2), ['SIGKILL', 'start']);
    assert.ok(guard.restarts >= 1);
  });
}

const well: Record<string, [Modes, GuardEyes['session']]> = {
  'that answers': [['follower', 'leader', 'follower'], { sync: async () => undefined }],
  'without a leader': [['follower', null, 'follower'], null],
  'whose leader nobody follows': [[null, 'leader', null], null],
};
for (const [what, [modes, session]] of Object.entries(well)) {
  test(`an ensemble ${what} is left alone`, async (t) => {
    const { guard, looked } = guarded(t, modes, session);
    await looked((4 * times.hangingMsMax) / times.lookMs);
    assert.equal(guard.restarts, 0);
  });
}

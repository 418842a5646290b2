// Goal: a plan of faults is the same for the same seed, has everything in it within a few minutes, and leaves the system a chance: few faults at a time, never two
// on one target, an outage of one role only while the others are well. Method: properties of the plans of many seeds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { roleOf } from '../../../chaos/faults/cards.ts';
import { type Counts, describeFault, drawFaults, type PlannedFault } from '../../../chaos/faults/plan.ts';
import { Random } from '../../../chaos/random.ts';
import type { FaultName } from '../../../chaos/record.ts';

const counts: Counts = { master: 3, worker: 4, gateway: 2, zookeeper: 3 };
const sessionTimeoutMs = 2000;
const plan = (seed: string, seconds: number) => drawFaults(new Random(seed), seconds, counts, sessionTimeoutMs);

const roles = ['master', 'worker', 'gateway', 'zookeeper'] as const;
const rolesOf = ({ targets }: PlannedFault) =>
  targets.map((target) => ('id' in target ? roles.find((role) => target.id.startsWith(role)) : roleOf(target.who)));
const ids = ({ targets }: PlannedFault) => targets.flatMap((target) => ('id' in target ? [target.id] : []));
const endOf = ({ atMs, forMs }: PlannedFault) => atMs + forMs;
const during = (all: readonly PlannedFault[], { atMs }: PlannedFault) =>
  all.filter((other) => other.atMs <= atMs && endOf(other) > atMs);

function everyPlan(check: (faults: PlannedFault[], seconds: number) => void): void {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 10, max: 300 }), (seed, seconds) => check(plan(seed, seconds), seconds)),
  );
}

test('the same seed draws the same plan, another one another', () => {
  assert.deepEqual(plan('a', 120), plan('a', 120));
  assert.notDeepEqual(plan('a', 120), plan('b', 120));
});

test('a plan is in order of time, and over when the run is', () => {
  everyPlan((faults, seconds) => {
    assert.deepEqual(
      faults.map(({ n }) => n),
      faults.map((_, i) => i + 1),
    );
    for (const [i, fault] of faults.entries()) {
      assert.ok(fault.atMs >= (faults[i - 1]?.atMs ?? 0));
      assert.ok(endOf(fault) <= seconds * 1000);
    }
  });
});

test('no target has two faults, and there are never more than four', () => {
  everyPlan((faults) => {
    for (const fault of faults) {
      const present = during(faults, fault);
      assert.ok(present.length <= 4);
      const targets = present.flatMap(ids);
      assert.equal(new Set(targets).size, targets.length);
    }
  });
});

test('but for an outage, and then of one role, one of each role is left', () => {
  everyPlan((faults) => {
    for (const fault of faults) {
      const hurt = during(faults, fault).flatMap(rolesOf);
      const severe = roles.filter(
        (role) => hurt.filter((each) => each === role).length > (role === 'zookeeper' ? 1 : counts[role] - 1),
      );
      assert.ok(severe.length <= 1, severe.join());
    }
  });
});

test('a freeze outlasts the session, a doze does not', () => {
  everyPlan((faults) => {
    for (const { fault, forMs } of faults) {
      if (fault === 'freeze') assert.ok(forMs > sessionTimeoutMs);
      if (fault === 'doze') assert.ok(forMs < sessionTimeoutMs);
    }
  });
});

test('within five minutes everything comes up, alone and together', () => {
  const all: Record<FaultName, true> = {
    ...{ kill: true, freeze: true, doze: true, stop: true, cut: true, silence: true, 'deaf-ensemble': true },
    ...{
      'deaf-process': true,
      slow: true,
      swallow: true,
      'no-quorum': true,
      'disk-full': true,
      'refusing-server': true,
    },
  };
  for (const seed of ['1', '2', '3', '4', '5']) {
    const faults = plan(seed, 300);
    assert.deepEqual(new Set(faults.map(({ fault }) => fault)), new Set(Object.keys(all)));
    assert.ok(faults.some((fault) => during(faults, fault).length > 1));
    for (const role of ['worker', 'gateway'] as const) {
      assert.ok(faults.some((fault) => rolesOf(fault).filter((each) => each === role).length === counts[role]));
    }
    assert.ok(faults.some((fault) => rolesOf(fault).filter((role) => role === 'master').length === 2));
  }
});

test('a small fleet has faults, too', () => {
  const small = drawFaults(new Random('1'), 60, { master: 1, worker: 1, gateway: 1, zookeeper: 3 });
  assert.ok(small.length > 10);
});

test('a fault is told in one line', () => {
  const planned: PlannedFault = {
    ...{ n: 7, fault: 'cut', atMs: 12_340, forMs: 2000, links: 'used' },
    targets: [{ id: 'gateway1' }, { who: 'leading master', draw: 0.5 }],
  };
  assert.equal(describeFault(planned), '7. at 12.3 s, for 2.0 s: cut gateway1, the leading master, links used');
});

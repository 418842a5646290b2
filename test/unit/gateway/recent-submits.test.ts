// Goal: what we submitted to a queue counts until the master's count has it or a worker took it, and never for long. Method: by
// example, and against a model that keeps every task apart, at random.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TaskId } from '../../../domain/task.ts';
import { RecentSubmits, type Submit } from '../../../gateway/store/recent-submits.ts';

const id = (number: number) => `task-${number}` as TaskId;

test('counts from before the commit on, and not what was given back', () => {
  const recent = new RecentSubmits();
  const submit = recent.add('q', 3);
  assert.deepEqual([recent.count('q', 0), recent.count('other', 0)], [3, 0]);
  recent.remove(submit);
  recent.remove(submit);
  assert.equal(recent.count('q', 0), 0);
});

test('a task that a worker took counts no more', () => {
  const recent = new RecentSubmits();
  recent.made(recent.add('q', 2), [id(1), id(2)], 0);
  recent.started(id(1));
  recent.started(id(1));
  recent.started(id(7));
  assert.equal(recent.count('q', 0), 1);
  recent.started(id(2));
  assert.equal(recent.count('q', 0), 0);
});

test('a worker was faster than the answer to us', () => {
  const recent = new RecentSubmits();
  const submit = recent.add('q', 2);
  recent.started(id(2));
  recent.made(submit, [id(1), id(2)], 0);
  assert.equal(recent.count('q', 0), 1);
  recent.started(id(3)); // nothing is under way: it was made by another gateway
  recent.made(recent.add('q', 1), [id(3)], 0);
  assert.equal(recent.count('q', 0), 2);
});

test('the master has counted it: what was made well before, but not what was just made or is under way', () => {
  const recent = new RecentSubmits();
  recent.add('q', 1);
  recent.made(recent.add('q', 2), [id(1), id(2)], 1000);
  recent.made(recent.add('q', 4), [id(3), id(4), id(5), id(6)], 1900);
  recent.counted(2000);
  assert.equal(recent.count('q', 2000), 5);
});

test('without a count nothing counts for longer than two seconds, unless it is under way', () => {
  const recent = new RecentSubmits();
  recent.made(recent.add('q', 2), [id(1), id(2)], 1000);
  recent.add('q', 1);
  assert.equal(recent.count('q', 3000), 3);
  assert.equal(recent.count('q', 3001), 1);
});

type Step =
  | { readonly kind: 'submit'; readonly queue: string; readonly size: number }
  | { readonly kind: 'made' | 'removed'; readonly which: number }
  | { readonly kind: 'started'; readonly which: number }
  | { readonly kind: 'counted'; readonly ms: number }
  | { readonly kind: 'pass'; readonly ms: number };

test('as a model that keeps every task apart', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('submit' as const),
      queue: fc.constantFrom('a', 'b'),
      size: fc.integer({ min: 1, max: 4 }),
    }),
    fc.record({ kind: fc.constantFrom('made' as const, 'removed' as const, 'started' as const), which: fc.nat(8) }),
    fc.record({ kind: fc.constantFrom('counted' as const, 'pass' as const), ms: fc.nat(1500) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => followModel(steps as Step[])),
    { numRuns: 500 },
  );
});

interface ModelTask {
  readonly queue: string;
  readonly submit: number;
  madeAt: number | null;
  waits: boolean;
}

function followModel(steps: readonly Step[]): void {
  const recent = new RecentSubmits();
  const submits: Submit[] = [];
  const tasks: ModelTask[] = [];
  let now = 0;
  const dropBefore = (before: number) => {
    for (const task of tasks) if (task.madeAt !== null && task.madeAt < before) task.waits = false;
  };
  for (const step of steps) {
    if (step.kind === 'submit') {
      const submit = submits.push(recent.add(step.queue, step.size)) - 1;
      for (let i = 0; i < step.size; i += 1) tasks.push({ queue: step.queue, submit, madeAt: null, waits: true });
    } else if (step.kind === 'counted' || step.kind === 'pass') {
      now += step.ms;
      if (step.kind === 'counted') recent.counted(now);
      dropBefore(now - (step.kind === 'counted' ? 250 : 2000));
    } else if (step.kind === 'started') {
      const task = tasks[step.which];
      if (!task || task.madeAt === null) continue;
      recent.started(id(step.which));
      task.waits = false;
    } else {
      const submit = submits[step.which];
      const own = [...tasks.entries()].filter(([, task]) => task.submit === step.which);
      if (!submit || own.some(([, task]) => task.madeAt !== null || !task.waits)) continue;
      if (step.kind === 'made')
        recent.made(
          submit,
          own.map(([number]) => id(number)),
          now,
        );
      else recent.remove(submit);
      for (const [, task] of own) {
        if (step.kind === 'made') task.madeAt = now;
        else task.waits = false;
      }
    }
    for (const queue of ['a', 'b']) {
      dropBefore(now - 2000);
      const expected = tasks.filter((task) => task.queue === queue && task.waits).length;
      assert.equal(recent.count(queue, now), expected);
    }
  }
}

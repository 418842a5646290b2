// Goal: what we submitted to a queue counts until the master's count has it or a worker took it, also while nobody counts. Method: by
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
  assert.deepEqual([recent.count('q'), recent.count('other')], [3, 0]);
  recent.remove(submit);
  recent.remove(submit);
  assert.equal(recent.count('q'), 0);
});

test('a task that a worker took counts no more', () => {
  const recent = new RecentSubmits();
  recent.made(recent.add('q', 2), [id(1), id(2)]);
  recent.started(id(1));
  recent.started(id(1));
  recent.started(id(7));
  assert.equal(recent.count('q'), 1);
  recent.started(id(2));
  assert.equal(recent.count('q'), 0);
});

test('a worker was faster than the answer to us', () => {
  const recent = new RecentSubmits();
  const submit = recent.add('q', 2);
  recent.started(id(2));
  recent.made(submit, [id(1), id(2)]);
  assert.equal(recent.count('q'), 1);
  recent.started(id(3)); // nothing is under way: it was made by another gateway
  recent.made(recent.add('q', 1), [id(3)]);
  assert.equal(recent.count('q'), 2);
});

test('the master has counted it: only what is below the number that it has come to, and nothing that is under way', () => {
  const recent = new RecentSubmits();
  recent.add('q', 1);
  recent.made(recent.add('q', 2), [id(1), id(2)]);
  recent.made(recent.add('q', 4), [id(3), id(4), id(5), id(6)]);
  recent.counted(3);
  assert.equal(recent.count('q'), 5);
  recent.counted(6);
  assert.equal(recent.count('q'), 5, 'of a submit the last one is not counted');
  recent.counted(Number.POSITIVE_INFINITY);
  assert.equal(recent.count('q'), 1);
});

test('what was counted before the answer to us came is not counted twice, though no other count comes', () => {
  const recent = new RecentSubmits();
  const counted = recent.add('q', 2);
  const later = recent.add('q', 1);
  recent.counted(3);
  recent.counted(Number.POSITIVE_INFINITY); // it does not say what it has
  recent.made(counted, [id(1), id(2)]);
  assert.equal(recent.count('q'), 1);
  recent.made(later, [id(3)]);
  assert.equal(recent.count('q'), 1);
  recent.started(id(2));
  assert.equal(recent.count('q'), 1);
});

test('a sequence that was begun anew holds nothing for ever', () => {
  const recent = new RecentSubmits();
  recent.made(recent.add('q', 1), [id(1000)]);
  for (let count = 0; count < 10; count += 1) recent.counted(5);
  assert.equal(recent.count('q'), 1);
  recent.counted(5);
  assert.equal(recent.count('q'), 0);
});

type Step =
  | { readonly kind: 'submit'; readonly queue: string; readonly size: number }
  | { readonly kind: 'made' | 'removed'; readonly which: number }
  | { readonly kind: 'started'; readonly which: number }
  | { readonly kind: 'counted'; readonly next: number };

test('as a model that keeps every task apart', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('submit' as const),
      queue: fc.constantFrom('a', 'b'),
      size: fc.integer({ min: 1, max: 4 }),
    }),
    fc.record({ kind: fc.constantFrom('made' as const, 'removed' as const, 'started' as const), which: fc.nat(8) }),
    fc.record({ kind: fc.constant('counted' as const), next: fc.nat(20) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => followModel(steps as Step[])),
    { numRuns: 500 },
  );
});

interface ModelTask {
  readonly queue: string;
  readonly submit: number;
  isMade: boolean;
  waits: boolean;
}

function followModel(steps: readonly Step[]): void {
  const recent = new RecentSubmits();
  const submits: Submit[] = [];
  const counts: number[] = [];
  const tasks: ModelTask[] = [];
  let newest = 0;
  const ofSubmit = (which: number) => [...tasks.entries()].filter(([, task]) => task.submit === which);
  for (const step of steps) {
    if (step.kind === 'submit') {
      const submit = submits.push(recent.add(step.queue, step.size)) - 1;
      counts.push(0);
      for (let i = 0; i < step.size; i += 1) tasks.push({ queue: step.queue, submit, isMade: false, waits: true });
    } else if (step.kind === 'counted') {
      recent.counted(step.next);
      newest = step.next;
      for (const which of submits.keys()) {
        const own = ofSubmit(which);
        if (!own.every(([, { isMade }]) => isMade)) continue;
        counts[which] = (counts[which] ?? 0) + 1;
        const isCounted = own.every(([number]) => number < step.next) || counts[which] > 10;
        for (const [, task] of own) if (isCounted) task.waits = false;
      }
    } else if (step.kind === 'started') {
      const task = tasks[step.which];
      if (!task?.isMade) continue;
      recent.started(id(step.which));
      task.waits = false;
    } else {
      const submit = submits[step.which];
      const own = ofSubmit(step.which);
      if (!submit || own.some(([, task]) => task.isMade || !task.waits)) continue;
      const made = own.map(([number]) => id(number));
      if (step.kind === 'made') recent.made(submit, made);
      else recent.remove(submit);
      const isCounted = own.every(([number]) => number < newest);
      for (const [, task] of own) {
        task.isMade = step.kind === 'made';
        task.waits = task.isMade && !isCounted;
      }
    }
    for (const queue of ['a', 'b']) {
      const expected = tasks.filter((task) => task.queue === queue && task.waits).length;
      assert.equal(recent.count(queue), expected);
    }
  }
}

// Goal: what waits for its time costs nothing until then: a round of the master among a hundred thousand scheduled tasks takes as
// long as among a hundred. Method: the same rounds over both, in turn, and the medians compared, with room for caches.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planAssignments } from '../../../domain/plan.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { addTask, addWorker, assignmentFact, status, workerId } from './facts.ts';

const hourMs = 3_600_000;

/** One worker, and so many tasks whose time is in an hour or later. */
class Rounds {
  readonly #index = new TaskIndex();
  #now = 1;
  #number: number;

  constructor(scheduled: number) {
    addWorker(this.#index, 'w');
    for (let i = 0; i < scheduled; i += 1) addTask(this.#index, i, { runAt: hourMs + ((i * 7919) % scheduled) });
    this.#number = scheduled;
  }

  get alarms(): number {
    return this.#index.alarms;
  }

  /** Microseconds that it takes until a new task is assigned, has ended and is gone, with the looks of the master between. */
  take(): number {
    const index = this.#index;
    const startedAt = performance.now();
    const { id } = addTask(index, this.#number++);
    const [decision] = this.#round();
    assert.equal(decision?.task, id);
    index.setAssignment(workerId('w'), id, assignmentFact());
    if (decision) index.settle(decision.entry, workerId('w'));
    this.#round();
    index.setStatus(id, status());
    index.setAssignment(workerId('w'), id, null);
    this.#round();
    index.removeTask(id);
    return (performance.now() - startedAt) * 1000;
  }

  #round() {
    const index = this.#index;
    index.advance(this.#now++);
    assert.equal(index.unsettled.size, 0);
    assert.ok((index.nextAlarmAt ?? 0) >= hourMs);
    return planAssignments(index, 1000);
  }
}

test('a round among a hundred thousand scheduled tasks costs what it costs among a hundred', (t) => {
  const [few, many] = [new Rounds(100), new Rounds(100_000)];
  assert.equal(many.alarms, 100_000);
  const times = Array.from({ length: 5000 }, () => ({ few: few.take(), many: many.take() }));
  const median = (which: 'few' | 'many') => times.map((time) => time[which]).sort((a, b) => a - b)[2500] ?? Number.NaN;
  t.diagnostic(`a task takes ${median('few').toFixed(1)} us among 100, ${median('many').toFixed(1)} us among 100,000`);
  assert.ok(median('many') < 4 * median('few') + 5);
});

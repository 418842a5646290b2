// Goal: a task's history is the same at every look, ends in the present, and tells each state once, whatever was missed.
// Method: examples of each way a task can go, and lives made up at random that are looked at again and again.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { AssignmentRecord, TaskRecord, WorkerId } from '../../../domain/task.ts';
import { stepsAfter, taskHistory } from '../../../domain/task-history.ts';
import { type TaskSnapshot, taskView } from '../../../domain/task-view.ts';
import { attempt, brief, status, taskId } from './facts.ts';

const createdAt = 1000;
const none = { unblockedAt: null, cancelRequested: false, status: null, attempts: [], assignment: null };

function snapshot(options: Partial<TaskSnapshot> = {}, record: Partial<TaskRecord> = {}): TaskSnapshot {
  const origin = { submitId: null, submittedAt: createdAt, retryOf: null, batch: null, deadlineMs: null };
  const whole = { ...brief(), payload: null, timeoutMs: 1000, labels: {}, ...origin, ...record } as TaskRecord;
  return { id: taskId(1), record: whole, createdAt, ...none, ...options };
}

function assigned(record: Partial<AssignmentRecord> = {}): TaskSnapshot['assignment'] {
  return {
    worker: 'w' as WorkerId,
    record: { attempt: 1, startedAt: 1500, withdraw: null, progress: null, ...record },
  };
}

function states(task: TaskSnapshot, now = 10_000): string[] {
  return taskHistory(task, now).map(({ state }) => state);
}

describe('the history of a task', () => {
  it('that waits is its state', () => {
    assert.deepEqual(states(snapshot()), ['queued']);
  });

  it('that was delayed begins as scheduled', () => {
    const delayed = snapshot({}, { runAt: 5000 });
    assert.deepEqual(states(delayed, 4999), ['scheduled']);
    assert.deepEqual(states(delayed, 5000), ['scheduled', 'queued']);
  });

  it('that runs, and ends, has its run', () => {
    assert.deepEqual(states(snapshot({ assignment: assigned() })), ['queued', 'running']);
    assert.deepEqual(states(snapshot({ status: status() })), ['queued', 'running', 'succeeded']);
  });

  it('that failed twice has each pause and each run', () => {
    const attempts = [
      attempt(1, { finishedAt: 2000, retryAt: 3000 }),
      attempt(2, { startedAt: 3100, finishedAt: 4000 }),
    ];
    const failed = snapshot({ attempts, status: status({ state: 'failed', attempt: 2, finishedAt: 4000 }) });
    assert.deepEqual(states(failed), ['queued', 'running', 'scheduled', 'queued', 'running', 'failed']);
  });

  it('that was cancelled before its time has never been queued', () => {
    const ended = { state: 'cancelled', attempt: 0, worker: null, startedAt: null, finishedAt: 2000 } as const;
    assert.deepEqual(states(snapshot({ status: status(ended) }, { runAt: 5000 })), ['scheduled', 'cancelled']);
    assert.deepEqual(states(snapshot({ status: status(ended) })), ['queued', 'cancelled']);
  });

  it('tells what each step was like then', () => {
    const attempts = [attempt(1, { worker: 'first', finishedAt: 2000, retryAt: 3000 })];
    const steps = taskHistory(snapshot({ attempts, assignment: assigned({ attempt: 2, startedAt: 3100 }) }), 10_000);
    const told = steps
      .map((step) => step.view())
      .map((view) => [view.state, view.attempt, view.worker, view.startedAt, view.attempts.length]);
    assert.deepEqual(told, [
      ['queued', 0, null, null, 0],
      ['running', 1, 'first', 1000, 0],
      ['scheduled', 1, null, null, 1],
      ['queued', 1, null, null, 1],
      ['running', 2, 'w', 3100, 1],
    ]);
  });

  it('takes a step back when a run was handed back, so that the caller learns of the present only', () => {
    const running = taskHistory(snapshot({ assignment: assigned() }), 10_000);
    const seen = running.at(-1)?.id ?? '';
    assert.equal(stepsAfter(taskHistory(snapshot(), 10_000), seen), null);
  });
});

/** What happens to a task, one after the other, and how it stands after each. */
const life = fc
  .record({
    delayMs: fc.constantFrom(0, 500),
    pauses: fc.array(fc.constantFrom(0, 700), { maxLength: 4 }),
    end: fc.constantFrom('succeeded', 'failed', 'cancelled running', 'cancelled waiting'),
  })
  .map(({ delayMs, pauses, end }) => {
    const looks: { task: TaskSnapshot; now: number }[] = [];
    const record = { runAt: delayMs > 0 ? createdAt + delayMs : null, maxAttempts: 10 };
    const attempts: TaskSnapshot['attempts'][number][] = [];
    let now = createdAt;
    const look = (options: Partial<TaskSnapshot> = {}) =>
      looks.push({ task: snapshot({ attempts: [...attempts], ...options }, record), now });
    const wait = (ms: number) => {
      if (ms > 0) look();
      now += ms;
      look();
    };
    const run = (number: number) => {
      now += 10;
      const startedAt = now;
      look({ assignment: assigned({ attempt: number, startedAt }) });
      now += 10;
      return startedAt;
    };
    wait(delayMs);
    for (const [place, pauseMs] of pauses.entries()) {
      const startedAt = run(place + 1);
      attempts.push(attempt(place + 1, { startedAt, finishedAt: now, retryAt: now + pauseMs }));
      wait(pauseMs);
    }
    const last = pauses.length + 1;
    if (end === 'cancelled waiting') {
      const ended = { state: 'cancelled', attempt: pauses.length, worker: null, startedAt: null } as const;
      look({ status: status({ ...ended, finishedAt: now + 5 }) });
    } else {
      const startedAt = run(last);
      if (end === 'failed') attempts.push(attempt(last, { startedAt, finishedAt: now }));
      const state = end === 'succeeded' ? end : end === 'failed' ? 'failed' : 'cancelled';
      look({ status: status({ state, attempt: last, startedAt, finishedAt: now }) });
    }
    return looks;
  });

it('who looks at any moments of a life, and not at others, is told the same story', () => {
  fc.assert(
    fc.property(life, fc.infiniteStream(fc.boolean()), (looks, choices) => {
      const whole = taskHistory(...(Object.values(looks.at(-1) ?? {}) as [TaskSnapshot, number])).map(({ id }) => id);
      assert.equal(new Set(whole).size, whole.length, 'each step once');
      const told: string[] = [];
      for (const [place, { task, now }] of looks.entries()) {
        const isLast = place === looks.length - 1;
        if (!isLast && !choices.next().value) continue;
        const history = taskHistory(task, now);
        assert.equal(history.at(-1)?.state, taskView(task, now).state);
        for (const step of history) assert.equal(step.view().state, step.state);
        const seen = told.at(-1);
        const news = seen === undefined ? history : stepsAfter(history, seen);
        assert.ok(news, 'nothing is taken back');
        told.push(...news.map(({ id }) => id));
      }
      assert.deepEqual(told, whole);
    }),
  );
});

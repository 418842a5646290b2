// Goal: what is set of a queue holds: nothing of a paused one is started, no more than its concurrency runs whatever is learned
// when, and its rate is kept, by whoever leads; and no other queue waits for it. Method: examples, and properties over facts
// and decisions by chance.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backlogOf } from '../../../domain/backlog-counts.ts';
import { queuesView, statsView } from '../../../domain/index-views.ts';
import { type AssignDecision, planAssignments } from '../../../domain/plan.ts';
import { defaultQueueSettings, type QueueSettings } from '../../../domain/queue-settings.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { TokenBucket } from '../../../domain/token-bucket.ts';
import { addTask, addWorker, assignmentFact, attempt, entryOf, status, taskFact, taskId, workerId } from './facts.ts';
import { facts, now } from './random-facts.ts';

function set(index: TaskIndex, queue: string, settings: Partial<QueueSettings>): void {
  index.setQueue(queue, { ...defaultQueueSettings, ...settings });
}

function planned(index: TaskIndex): number[] {
  return planAssignments(index, 100).map(({ task }) => Number(task.slice(5)));
}

test('a paused queue is given nothing and holds up no other, until it is not paused any more', () => {
  const index = new TaskIndex();
  addTask(index, 1, { queue: 'p', priority: 9 });
  addTask(index, 2, { queue: 'q' });
  addWorker(index, 'w', { concurrency: 9 });
  set(index, 'p', { paused: true });
  assert.deepEqual(planned(index), [2]);
  index.setQueue('p', null);
  assert.deepEqual(planned(index), [1]);
});

test('what is decided, runs, is left over or lost its task counts towards the concurrency', () => {
  const index = new TaskIndex();
  const worker = addWorker(index, 'w', { concurrency: 99 });
  set(index, 'p', { concurrency: 3 });
  for (let number = 1; number <= 9; number += 1) addTask(index, number, { queue: 'p', priority: number === 9 ? 1 : 0 });
  index.setAssignment(worker, taskId(8), 'unread');
  assert.deepEqual(planned(index), [9, 1]);
  index.setStatus(taskId(8), status());
  assert.deepEqual(planned(index), [], 'it is final and was not let go');
  index.removeTask(taskId(8));
  assert.deepEqual(planned(index), [], 'it is deleted and was not let go');
  index.setAssignment(worker, taskId(8), null);
  assert.deepEqual(planned(index), [2]);
  index.settle(entryOf(index, 2), worker, 5000); // refused
  assert.deepEqual(planned(index), [3]);
});

test('an assignment whose task has not been read yet may be of any queue', () => {
  const index = new TaskIndex();
  const worker = addWorker(index, 'w', { concurrency: 9 });
  set(index, 'p', { concurrency: 1 });
  addTask(index, 1, { queue: 'p' });
  addTask(index, 2, { queue: 'q' });
  index.setTask(taskId(3), 'unread');
  index.setAssignment(worker, taskId(3), 'unread');
  assert.deepEqual(planned(index), [2]);
  index.setTask(taskId(3), taskFact(3, { queue: 'q' }));
  assert.deepEqual(planned(index), [1]);
  index.setAssignment(worker, taskId(4), assignmentFact()); // of nothing at all
  index.setAssignment(worker, taskId(1), assignmentFact());
  index.settle(entryOf(index, 1), worker);
  index.setStatus(taskId(1), status());
  index.setAssignment(worker, taskId(1), null);
  addTask(index, 5, { queue: 'p' });
  assert.deepEqual(planned(index), [5], 'what is no task takes no slot of any queue');
});

test('an assignment whose task may not be read is of no queue, until it is read after all', () => {
  const index = new TaskIndex();
  const worker = addWorker(index, 'w', { concurrency: 9 });
  set(index, 'p', { concurrency: 1 });
  addTask(index, 1, { queue: 'p' });
  index.setTask(taskId(3), 'unread');
  index.setAssignment(worker, taskId(3), 'unread');
  assert.deepEqual(planned(index), []);
  index.setForbidden(taskId(3));
  index.setTask(taskId(3), 'unread'); // after a reconnect, say
  assert.deepEqual(planned(index), [1]);
  index.settle(entryOf(index, 1), worker);
  index.setTask(taskId(3), taskFact(3, { queue: 'p' }));
  assert.deepEqual(planned(index), []);
  index.removeTask(taskId(3));
  index.setAssignment(worker, taskId(3), null);
  index.setTask(taskId(3), 'unread'); // another one
  index.setAssignment(worker, taskId(3), 'unread');
  assert.deepEqual(planned(index), []);
});

const moves = fc.array(fc.tuple(fc.constantFrom('fact', 'fact', 'plan', 'commit', 'refuse', 'end'), fc.nat()), {
  maxLength: 40,
});

test('whatever facts arrive and whatever becomes of decisions, no decision exceeds the concurrency', () => {
  let full = 0;
  fc.assert(
    fc.property(facts, moves, fc.integer({ min: 0, max: 3 }), (history, steps, concurrency) => {
      const index = new TaskIndex();
      index.advance(now);
      for (const queue of ['p', 'q']) set(index, queue, { concurrency });
      addWorker(index, 'z', { concurrency: 100 });
      for (let number = 20; number < 28; number += 1) addTask(index, number, { queue: number % 2 ? 'p' : 'q' });
      const open: AssignDecision[] = [];
      const running: AssignDecision[] = [];
      const taken = (queue: string) =>
        new Set(
          [...index.tasks.values()]
            .filter((entry) => entry.queue === queue)
            .filter((entry) => entry.assignments.size > 0 || open.some((decision) => decision.entry === entry)),
        ).size;
      for (const [step, choice] of steps) {
        if (step === 'fact') history[choice % Math.max(1, history.length)]?.tell(index);
        if (step === 'plan') {
          const before = new Map(['p', 'q'].map((queue) => [queue, taken(queue)]));
          open.push(...planAssignments(index, 1 + (choice % 5)));
          for (const [queue, its] of before) {
            assert.ok(taken(queue) <= Math.max(concurrency, its), `${taken(queue)} of ${concurrency} in ${queue}`);
            if (taken(queue) === concurrency) full += 1;
          }
        }
        const decision = step === 'commit' || step === 'refuse' ? open.splice(choice % (open.length || 1), 1)[0] : null;
        if (decision && step === 'commit') {
          index.setAssignment(decision.worker, decision.task, choice % 2 ? 'unread' : assignmentFact());
          running.push(decision);
        }
        if (decision) index.settle(decision.entry, decision.worker);
        const ended = step === 'end' ? running.splice(choice % (running.length || 1), 1)[0] : null;
        if (ended) index.setAssignment(ended.worker, ended.task, null);
      }
    }),
    { numRuns: 1000 },
  );
  assert.ok(full > 500, `the limit was reached ${full} times only`);
});

test('a token bucket lets through no more than its burst and its rate, and no less when asked again in time', () => {
  const gaps = fc.array(fc.oneof(fc.nat(50), fc.nat(3000), fc.constant(-500)), { maxLength: 100 });
  const rates = fc.double({ min: 0.01, max: 200, noNaN: true });
  fc.assert(
    fc.property(rates, fc.integer({ min: 1, max: 5 }), gaps, (rate, burst, times) => {
      let at = 10_000;
      const bucket = new TokenBucket(rate, burst, at);
      let taken = 0;
      let elapsedMs = 0;
      for (const gap of times) {
        at += gap;
        elapsedMs += Math.max(0, gap);
        for (let i = 0; i < 3 && bucket.hasToken(at); i += 1, taken += 1) bucket.take(at);
        assert.ok(taken <= burst + (elapsedMs * rate) / 1000 + 1e-6, `${taken} in ${elapsedMs} ms`);
        if (bucket.hasToken(at)) continue;
        const nextAt = bucket.nextAt(at);
        assert.ok(nextAt > at && nextAt <= at + 2 + 2000 / rate);
        const same = new TokenBucket(rate, burst, at);
        while (same.hasToken(at)) same.take(at);
        assert.equal(same.hasToken(same.nextAt(at)), true);
      }
    }),
  );
});

test('a rate starts a burst at once, then one whenever its token is due, and says when that is', () => {
  const index = new TaskIndex();
  index.advance(1000);
  addWorker(index, 'w', { concurrency: 99 });
  for (let number = 1; number <= 9; number += 1) addTask(index, number, { queue: 'p' });
  addTask(index, 10, { queue: 'q' });
  set(index, 'p', { ratePerSecond: 4, burst: 2 });
  assert.deepEqual(planned(index), [1, 2, 10]);
  assert.equal(index.nextTokenAt, 1250);
  index.advance(1249);
  assert.deepEqual(planned(index), []);
  index.advance(1250);
  assert.deepEqual(planned(index), [3]);
  index.advance(60_000);
  assert.deepEqual(planned(index), [4, 5], 'no more than a burst after a pause');
  set(index, 'p', { ratePerSecond: 4, burst: 2, paused: true });
  assert.equal(index.nextTokenAt, null, 'nothing to wake up for');
  set(index, 'p', { ratePerSecond: 0.5 });
  index.advance(70_000);
  assert.deepEqual(planned(index), [6], 'where no burst is given it is what a second has, one at least');
  index.setQueue('p', null);
  assert.deepEqual([index.nextTokenAt, planned(index)], [null, [7, 8, 9]]);
});

test('a standby counts the starts that it sees, not those that it finds, and goes on at the same rate', () => {
  const index = new TaskIndex();
  const worker = addWorker(index, 'w', { concurrency: 99 });
  for (let number = 1; number <= 9; number += 1) addTask(index, number, { queue: 'p' });
  set(index, 'p', { ratePerSecond: 1, burst: 3 });
  index.setAssignment(worker, taskId(1), assignmentFact());
  index.states.goLive();
  index.setAssignment(worker, taskId(2), 'unread');
  index.setAssignment(worker, taskId(2), assignmentFact());
  index.setAssignment(worker, taskId(2), assignmentFact({}, { version: 1 }));
  index.setTask(taskId(10), 'unread');
  index.setAssignment(worker, taskId(10), 'unread');
  index.setTask(taskId(10), taskFact(10, { queue: 'p' }));
  assert.deepEqual(planned(index), [3], 'of three, one for each of the two that it saw');
  const leaders = entryOf(index, 3);
  index.setAssignment(worker, leaders.id, assignmentFact());
  index.settle(leaders, worker);
  index.advance(1000);
  assert.deepEqual(planned(index), [4], 'its own were counted when it decided');
});

test('a decision that was refused gives its token back, one that was carried out does not', () => {
  const index = new TaskIndex();
  const worker = addWorker(index, 'w', { concurrency: 99 });
  for (let number = 1; number <= 9; number += 1) addTask(index, number, { queue: 'p' });
  set(index, 'p', { ratePerSecond: 1, burst: 1 });
  assert.deepEqual(planned(index), [1]);
  index.settle(entryOf(index, 1), worker);
  assert.deepEqual([planned(index), planned(index)], [[1], []]);
  index.setAssignment(worker, taskId(1), assignmentFact());
  index.setAttempt(taskId(1), 1, attempt(1, { retryAt: 9000 }));
  index.setAssignment(worker, taskId(1), null); // it has run and gone before the answer came
  index.settle(entryOf(index, 1), worker);
  assert.deepEqual(planned(index), []);
  index.advance(1000);
  assert.deepEqual(planned(index), [2]);
  index.advance(2000);
  index.settle(entryOf(index, 2), worker);
  assert.deepEqual([planned(index), planned(index)], [[2], []], 'no more than a burst is kept');
});

test('a token is given back for a task that is gone, too', () => {
  const index = new TaskIndex();
  const worker = addWorker(index, 'w', { concurrency: 99 });
  const entry = addTask(index, 1, { queue: 'p' });
  set(index, 'p', { ratePerSecond: 1, burst: 1 });
  assert.deepEqual(planned(index), [1]);
  index.removeTask(taskId(1));
  index.settle(entry, worker);
  addTask(index, 2, { queue: 'p' });
  assert.deepEqual(planned(index), [2]);
});

test('the backlog names the queues with most to do, and always those with a limit of their own', () => {
  const index = new TaskIndex();
  for (let number = 1; number <= 30; number += 1) addTask(index, number, { queue: `q${number % 7}` });
  addTask(index, 31, { queue: 'small', runAt: 9 });
  addTask(index, 32, { queue: 'small' });
  index.setAssignment(workerId('w'), taskId(32), assignmentFact());
  set(index, 'small', { maxQueued: 5 });
  set(index, 'empty', { maxQueued: 5 });
  set(index, 'paused', { paused: true });
  const { counts } = index.states;
  const whole = backlogOf(counts, index.queues);
  assert.deepEqual([whole.unfinished, Object.keys(whole.queues).length], [32, 8]);
  assert.deepEqual(whole.waiting, { small: 1, empty: 0 });
  assert.deepEqual(backlogOf(counts, index.queues, 4).queues, { small: 2, q1: 5, q2: 5 });
});

test('queues are listed with their settings and counts, those with settings even where there are too many', () => {
  const index = new TaskIndex();
  index.advance(5000);
  for (let number = 1; number <= 30; number += 1) addTask(index, number, { queue: `q${number}` });
  addTask(index, 31, { queue: 'a', runAt: 9000 });
  index.setStatus(taskId(1), status());
  set(index, 'z', { concurrency: 5 });
  const names = queuesView(index).map(({ name }) => name);
  assert.deepEqual([names.length, names[0], names.at(-1), names.includes('q1')], [31, 'a', 'z', false]);
  const counts = { scheduled: 1, queued: 0, running: 0 };
  assert.deepEqual(queuesView(index)[0], { name: 'a', ...defaultQueueSettings, ...counts });
  assert.equal(queuesView(index, 3).length, 3);
  assert.equal(queuesView(index, 3).at(-1)?.concurrency, 5);
});

test('counts, slots and the longest wait', () => {
  const index = new TaskIndex();
  const worker = addWorker(index, 'w', { concurrency: 3 });
  addWorker(index, 'leaving', { concurrency: 4, draining: true });
  index.setTask(taskId(1), taskFact(1, {}, { createdAt: 1000 }));
  index.setTask(taskId(2), taskFact(2, { runAt: 3000 }, { createdAt: 500 }));
  addTask(index, 3);
  index.setAssignment(worker, taskId(3), assignmentFact());
  addTask(index, 4);
  index.setStatus(taskId(4), status({ state: 'failed' }));
  const stats = () => statsView(index, 'host:1', 4000);
  const none = { scheduled: 0, queued: 0, running: 1, succeeded: 0, failed: 1, cancelled: 0 };
  assert.deepEqual(stats(), {
    ...{ leader: 'host:1', workers: 2, slots: { total: 7, free: 2 } },
    ...{ tasks: { ...none, scheduled: 1, queued: 1 }, oldestQueuedMs: 3000 },
  });
  index.setStatus(taskId(1), status({ state: 'cancelled' }));
  assert.equal(stats().oldestQueuedMs, null);
  index.advance(3000);
  assert.deepEqual([stats().tasks, stats().oldestQueuedMs], [{ ...none, queued: 1, cancelled: 1 }, 1000]);
  for (const number of [1, 2, 3, 4]) index.removeTask(taskId(number));
  index.setAssignment(worker, taskId(3), null);
  assert.deepEqual(stats().tasks, { ...none, running: 0, failed: 0 });
  assert.equal(index.states.counts.queues.size, 0);
});

// Goal: the table of transitions and what the code does are the same: nothing happens that is not in it, and everything in it
// happens. Method: lives made up at random, in which whatever is possible may come next; what they went through is compared
// with the table, and at each step with what the index, the Task resource and its history say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stateOf } from '../../../domain/entry-state.ts';
import { limits } from '../../../domain/limits.ts';
import { finalStates } from '../../../domain/task.ts';
import { taskHistory } from '../../../domain/task-history.ts';
import { dependenciesOf } from '../../../domain/task-id.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { type EndEvent, type Moment, recordsOf, type TaskTerms } from '../../../domain/task-machine.ts';
import { lifeEvents, transitions } from '../../../domain/task-transitions.ts';
import { deadlineOf, type TaskSnapshot } from '../../../domain/task-view.ts';
import { brief, entryOf, taskFact, taskId, workerFact } from './facts.ts';
import { type Happening, Life, newTask, submittedAt, worker } from './task-life.ts';

const backoffs = fc
  .constantFrom(0, 700)
  .map((delayMs) => ({ type: 'fixed', delayMs, maxDelayMs: null, jitter: false }) as const);
const options = fc.record({
  runAt: fc.constantFrom(null, submittedAt + 500),
  after: fc.constantFrom([], [taskId(0)]),
  maxAttempts: fc.constantFrom(1, 2, 3),
  deadlineMs: fc.constantFrom(null, null, 600, 5000),
  backoff: backoffs,
});
const tasks = fc.oneof({ weight: 9, arbitrary: options }, { weight: 1, arbitrary: fc.constant(null) });

const error = { code: 'handler_error', message: 'no' } as const;
const events = fc.oneof(
  fc.constantFrom('due', 'unblocked', 'assigned', 'assigned', 'assigned', 'handed_back').map((kind) => ({ kind })),
  fc.constantFrom('cancelled', 'expired', 'timed_out').map((reason) => ({ kind: 'withdrawn', reason }) as const),
  fc.constantFrom<EndEvent>(
    { kind: 'succeeded', result: 1 },
    { kind: 'failed', error, retryable: true, retryAfterMs: null },
    { kind: 'failed', error, retryable: false, retryAfterMs: null },
    { kind: 'timed_out' },
    { kind: 'worker_lost', lostBefore: 0, cancel: null },
    { kind: 'worker_lost', lostBefore: 0, cancel: 'enough' },
    { kind: 'cancelled', reason: 'enough' },
    { kind: 'expired' },
    { kind: 'dependency_failed', message: 'task-0000000000 failed' },
    { kind: 'invalid_task', why: 'no JSON' },
  ),
);
const happenings = fc
  .array(fc.tuple(events, fc.constantFrom(1, 10, 400)), { maxLength: 30 })
  .map((list) => list.map(([event, pauseMs]) => ({ ...event, pauseMs, random: 0 }) as Happening));

const rowOf = ({ from, event, to, leaves }: Life['steps'][number]) => `${from} ${event} ${to} [${leaves}]`;
const rows = transitions.map(rowOf);

test('each row is there once, each event has one, and no final state is ever left', () => {
  assert.equal(new Set(transitions.map(({ from, event, to }) => `${from} ${event} ${to}`)).size, transitions.length);
  assert.deepEqual(new Set(transitions.map(({ event }) => event)), new Set(lifeEvents));
  for (const { from } of transitions) assert.ok(from === null || !(finalStates as readonly string[]).includes(from));
});

test('whatever happens to a task is in the table, and whatever is in the table happens', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(tasks, happenings, (task, list) => {
      const life = new Life(newTask(task));
      for (const what of list) life.happen(what);
      for (const step of life.steps) {
        assert.ok(rows.includes(rowOf(step)), rowOf(step));
        seen.add(rowOf(step));
      }
    }),
    { numRuns: 10_000 },
  );
  assert.deepEqual(
    rows.filter((row) => !seen.has(row)),
    [],
  );
});

test('the index of a master, the Task resource and its history agree at every step of every life', () => {
  fc.assert(
    fc.property(tasks, happenings, (task, list) => {
      const life = new Life(newTask(task));
      for (const what of list) {
        const before = life.state;
        if (!life.happen(what)) continue;
        const told = taskHistory(life.task, life.now).map(({ state }) => state);
        assert.equal(told.at(-1), life.state);
        for (const [i, state] of told.slice(1).entries()) assert.ok(follows(told[i], state), `${told}`);
        assert.ok(before === life.state || follows(before, life.state));
        const index = toldOf(life.task, life.now);
        assert.equal(stateOf(entryOf(index, 1), life.now), life.state);
      }
    }),
    { numRuns: 500 },
  );
});

function follows(from: string | undefined, to: string): boolean {
  return transitions.some((row) => row.from === from && row.to === to);
}

/** What a master knows that has read all of it. */
function toldOf(task: TaskSnapshot, now: number): TaskIndex {
  const index = new TaskIndex();
  const { record, assignment } = task;
  const { id, createdAt } = task;
  const content = record
    ? ({
        kind: 'task',
        brief: { ...record, after: dependenciesOf(id, record), deadlineAt: deadlineOf(record) },
      } as const)
    : ({ kind: 'invalid', why: '' } as const);
  index.setTask(id, taskFact(1, {}, { createdAt, content }));
  index.setWorker(worker, workerFact());
  index.setStatus(id, task.status);
  index.setUnblocked(id, task.unblockedAt);
  for (const attempt of task.attempts) index.setAttempt(id, attempt.attempt, attempt);
  if (assignment) {
    const { record: its } = assignment;
    index.setAssignment(worker, id, { czxid: 100n, version: 0, createdAt: its.startedAt ?? 0, record: its });
  }
  index.advance(now);
  return index;
}

const at: Moment = { attempt: 3, worker: 'w', startedAt: 1000, finishedAt: 2000 };
const terms: TaskTerms = { ...brief(), timeoutMs: 50 };

test('an attempt that timed out says so, and who did not end it', () => {
  const { status, attempt } = recordsOf({ kind: 'timed_out' }, { ...at, attempt: 1 }, terms, 0);
  assert.equal(status, null);
  assert.deepEqual(attempt, {
    ...{ ...at, attempt: 1, outcome: 'timed_out', retryAt: 3000 },
    error: { code: 'timeout', message: 'the attempt took longer than its timeout of 50 ms' },
  });
  const forced = recordsOf({ kind: 'timed_out', byForce: true }, at, terms, 0);
  assert.match(forced.status?.error?.message ?? '', /worker w did not end it when it was told to/);
});

test('the run that a deadline ended is an attempt, that a cancel ended is none', () => {
  const expired = recordsOf({ kind: 'expired' }, at, terms, 0);
  const message = 'the deadline of the task passed during attempt 3';
  assert.deepEqual(expired.status?.error, { code: 'expired', message });
  assert.deepEqual([expired.attempt?.outcome, expired.attempt?.error?.code], ['timed_out', 'expired']);
  const waiting = recordsOf({ kind: 'expired' }, { ...at, worker: null, startedAt: null }, terms, 0);
  assert.deepEqual([waiting.attempt, waiting.status?.error?.code], [null, 'expired']);
  assert.equal(recordsOf({ kind: 'cancelled', reason: '' }, at, terms, 0).attempt, null);
});

test('a task that loses a worker with each attempt is told from one that had bad luck', () => {
  const final = (lostBefore: number) =>
    recordsOf({ kind: 'worker_lost', lostBefore, cancel: null }, at, terms, 0).status?.error?.message;
  assert.equal(final(1), 'worker w was lost during attempt 3 of 3');
  assert.match(final(2) ?? '', /^worker w was lost during attempt 3 of 3; each of its attempts lost its worker/);
});

test('a lost attempt is followed by another at once, but not at the deadline', () => {
  const lost = (deadlineAt: number | null) =>
    recordsOf({ kind: 'worker_lost', lostBefore: 0, cancel: null }, { ...at, attempt: 1 }, { ...terms, deadlineAt }, 0);
  assert.equal(lost(null).attempt?.retryAt, 2000);
  assert.equal(lost(2001).status, null);
  assert.equal(lost(2000).status?.error?.code, 'worker_lost');
});

test('the end says where the deadline forbids an attempt that is left; the attempt itself does not', () => {
  const said = (deadlineAt: number | null, maxAttempts: number, event: EndEvent, attempt = 1) => {
    const left = recordsOf(event, { ...at, attempt }, { ...terms, deadlineAt, maxAttempts }, 0);
    assert.equal(left.attempt?.error?.message.includes('no further attempt'), false);
    return left.status?.error?.message;
  };
  const failed = (message: string, retryable = true): EndEvent => ({
    ...{ kind: 'failed', retryable, retryAfterMs: null },
    error: { ...error, message },
  });
  const late = '; no further attempt, since its deadline comes first';
  assert.equal(said(2500, 3, failed('no')), `no${late}`);
  assert.equal(said(2500, 3, { kind: 'timed_out' }), `the attempt took longer than its timeout of 50 ms${late}`);
  const lost: EndEvent = { kind: 'worker_lost', lostBefore: 0, cancel: null };
  assert.equal(said(2000, 3, lost), `worker w was lost during attempt 1 of 3${late}`);
  assert.equal(said(2500, 1, failed('no')), 'no', 'none was left');
  assert.equal(said(2500, 3, failed('no', false)), 'no', 'the handler wished for none');
  assert.equal(said(null, 1, failed('no')), 'no');
  const long = said(2500, 3, failed('x'.repeat(limits.errorMessageCharactersMax))) ?? '';
  assert.ok(long.length === limits.errorMessageCharactersMax && long.endsWith(`x${late}`));
});

test('whatever the numbers: a task that goes on has attempts left, and goes on before its deadline', () => {
  const numbers = fc.record({
    attempt: fc.integer({ min: 1, max: limits.attemptsMax }),
    maxAttempts: fc.integer({ min: 1, max: limits.attemptsMax }),
    deadlineAt: fc.option(fc.integer({ min: 0, max: 10_000 })),
    delayMs: fc.integer({ min: 0, max: 5000 }),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
  fc.assert(
    fc.property(numbers, ({ attempt, maxAttempts, deadlineAt, delayMs, random }) => {
      const backoff = { type: 'exponential', delayMs, maxDelayMs: null, jitter: true } as const;
      const policy: TaskTerms = { timeoutMs: 1, maxAttempts, deadlineAt, backoff };
      const left = recordsOf({ kind: 'timed_out' }, { ...at, attempt }, policy, random);
      const retryAt = left.attempt?.retryAt ?? null;
      assert.equal(left.status === null, retryAt !== null, 'it ends, or it goes on');
      if (retryAt === null) return;
      assert.ok(attempt < maxAttempts && retryAt >= at.finishedAt && retryAt < (deadlineAt ?? Infinity));
    }),
  );
});

// Goal: what is said of a task is true of the planner, and says what it waits for in one sentence that ends somewhere. Method:
// each reason with its fields on a picture made for it; then random pictures, what is said of each task compared with its
// phase and with what a plan really takes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { snapshotOf } from '../../../domain/entry-state.ts';
import { explainTask } from '../../../domain/explain.ts';
import { explainAlone } from '../../../domain/explain-alone.ts';
import type { ExplainReason, TaskExplanation } from '../../../domain/explanation.ts';
import { limits } from '../../../domain/limits.ts';
import { planAssignments } from '../../../domain/plan.ts';
import { defaultQueueSettings } from '../../../domain/queue-settings.ts';
import type { AssignmentRecord, TaskId } from '../../../domain/task.ts';
import type { TaskBrief } from '../../../domain/task-entry.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import type { Phase } from '../../../domain/task-phase.ts';
import type { TaskSnapshot } from '../../../domain/task-view.ts';
import {
  addTask,
  addWorker,
  assignmentFact,
  attempt,
  entryOf,
  status,
  taskFact,
  taskId,
  workerFact,
  workerId,
} from './facts.ts';
import { type Fact, facts, now as factsNow, setQueues, told } from './random-facts.ts';

const now = 10_000;

function newIndex(): TaskIndex {
  const index = new TaskIndex();
  index.advance(now);
  return index;
}

/** What is said of task 1; the rest is null, or empty. */
function said(index: TaskIndex, fields: Partial<TaskExplanation>, message: RegExp): void {
  const nothing = { since: null, until: null, worker: null, tasks: [], workers: null, limit: null, position: null };
  const task = { id: taskId(1), state: 'queued', type: 'echo', queue: 'default', also: [] };
  const { message: sentence, ...rest } = explainTask(index, taskId(1), now);
  assert.match(sentence, message);
  assert.match(sentence, /^[A-Z][^\n]*\.$/);
  assert.deepEqual(rest, { ...task, ...nothing, ...fields });
}

test('a task that the master does not know, has not read, may not read, or that a newer one is for', () => {
  const index = newIndex();
  const unknown = { state: null, type: null, queue: null };
  said(index, { ...unknown, reason: 'not_seen_yet' }, /has not read the task yet: ask again/);
  index.setTask(taskId(1), 'unread');
  said(index, { ...unknown, reason: 'not_seen_yet' }, /has not read/);
  index.setForbidden(taskId(1));
  said(index, { ...unknown, reason: 'unreadable' }, /ACL in ZooKeeper forbids/);
  index.setTask(taskId(1), taskFact(1, {}, { content: { kind: 'newer' } }));
  said(index, { ...unknown, state: 'queued', reason: 'newer_version' }, /upgrade the masters/);
  index.setTask(taskId(1), taskFact(1, {}, { content: { kind: 'invalid', why: 'it is no JSON' } }));
  said(index, { ...unknown, state: 'queued', reason: 'being_ended' }, /invalid_task: it is no JSON/);
});

test('final, whatever became of it', () => {
  const index = newIndex();
  addTask(index, 1);
  index.setStatus(taskId(1), status(), 2000);
  said(
    index,
    { state: 'succeeded', reason: 'succeeded', since: 2000, worker: 'w' },
    /succeeded at 1970-01-01T00:00:02/,
  );
  index.setStatus(taskId(1), status({ state: 'failed', attempt: 3 }), 2000);
  said(index, { state: 'failed', reason: 'failed', since: 2000, worker: 'w' }, /with attempt 3 of 3; retry it/);
  index.setStatus(taskId(1), status({ state: 'cancelled', attempt: 0, worker: null }), 2000);
  said(index, { state: 'cancelled', reason: 'cancelled', since: 2000 }, /was cancelled at .*; retry it/);
});

test('whoever reads the task itself says why it failed, in one line', () => {
  const index = newIndex();
  addTask(index, 1, { after: [taskId(0)] });
  const snapshot = snapshotOf(entryOf(index, 1));
  const failed = (message: string, change: Partial<TaskSnapshot> = { unblockedAt: 1 }) => {
    const error = { code: 'exit_code', message } as const;
    const ended = status({ state: 'failed', attempt: 0, startedAt: null, error });
    return explainAlone({ ...snapshot, ...change, status: ended }, now)[0]?.message ?? '';
  };
  assert.match(failed('exit code 1'), /before its first attempt: exit_code, exit code 1; retry it to run it again/);
  assert.match(failed('first\nsecond'), /exit_code, first\.\.\.; retry/);
  assert.ok(failed('x'.repeat(4000)).length < 400);
  assert.match(failed(''), /: exit_code; retry/);
  const letGo = /; retry it to run it again as a new task\.$/;
  assert.match(failed(''), letGo);
  const neverLetGo = /new task, which waits for the success of task-0000000000, or of retries: retry those that did/;
  assert.match(failed('', {}), neverLetGo);
  const { record } = snapshot;
  const runs = { record: record && { ...record, afterFailure: 'run' as const } };
  assert.match(failed('', runs), /new task, which waits for the end of task-0000000000\.$/);
  assert.match(failed('', { record: null }), /cannot be read, so it cannot be retried: submit another\.$/);
  const attempts = [attempt(1, { retryAt: now + 1 })];
  const backingOff = /^Attempt 1 of 3 did not succeed on worker w: handler_error, no; the next one may start at/;
  assert.match(explainAlone({ ...snapshot, attempts }, now)[0]?.message ?? '', backingOff);
});

test('a run: until its timeout or its deadline, withdrawn, lost', () => {
  const index = newIndex();
  const worker = addWorker(index, 'w');
  const run = { state: 'running', since: 1000, worker: 'w' } as const;
  const has = (options: Partial<TaskBrief>, record: Partial<AssignmentRecord> = {}) => {
    index.setTask(taskId(1), taskFact(1, { timeoutMs: 60_000, ...options }));
    index.setAssignment(worker, taskId(1), assignmentFact(record));
  };
  addTask(index, 1);
  index.setAssignment(worker, taskId(1), 'unread');
  said(index, { state: 'running', reason: 'running', worker: 'w' }, /Worker w has it/);
  has({});
  said(index, { ...run, reason: 'running', until: 61_000 }, /w runs attempt 1 of 3 since .*; its timeout ends it at/);
  has({ deadlineAt: 20_000 });
  said(index, { ...run, reason: 'running', until: 20_000 }, /its deadline ends it at 1970-01-01T00:00:20/);
  has({ deadlineAt: now });
  said(index, { ...run, reason: 'withdrawing' }, /^Its deadline has passed, and worker w is ending its run\.$/);
  has({ timeoutMs: 8000 });
  const late =
    /; its timeout passed at 1970-01-01T00:00:09.000Z: worker w has until 1970-01-01T00:00:14.000Z to end it/;
  said(index, { ...run, reason: 'running', until: 14_000 }, late);
  has({ timeoutMs: 8000, deadlineAt: 12_000 });
  said(
    index,
    { ...run, reason: 'running', until: 12_000 },
    /timeout passed .* has until 1970-01-01T00:00:12.000Z to end/,
  );
  has({ timeoutMs: 1 });
  const [alone] = explainAlone(snapshotOf(entryOf(index, 1)), now);
  assert.match(
    alone?.message ?? '',
    /timeout passed at 1970-01-01T00:00:01.001Z, and the leading master is to withdraw/,
  );
  assert.equal(alone?.until, null);
  index.review(limits.timeoutGraceMs + 1);
  said(index, { ...run, reason: 'withdrawing' }, /^Its attempt has taken longer than its timeout, and/);
  has({});
  index.setCancel(taskId(1), { reason: 'why' });
  said(index, { ...run, reason: 'cancel_requested' }, /has yet to tell worker w/);
  has({}, { withdraw: 'cancelled' });
  const until = now + limits.withdrawGraceMs;
  const byForce =
    /asked to be cancelled, and worker w is ending its run; at 1970-01-01T00:00:15.000Z it is taken away by/;
  said(index, { ...run, reason: 'withdrawing', until }, byForce);
  index.setWorker(worker, null);
  said(index, { ...run, reason: 'worker_lost' }, /Worker w was lost/);
});

test('what the task itself waits for; of the system only what lasts is said beside it', () => {
  const index = newIndex();
  addTask(index, 1, { runAt: 60_000, queue: 'mail' });
  index.setQueue('mail', { ...defaultQueueSettings, paused: true });
  const mine = { state: 'scheduled', queue: 'mail', since: 0, until: 60_000 } as const;
  const paused = {
    reason: 'queue_paused',
    message: 'Queue mail is paused: nothing of it starts until somebody lets it go on.',
  };
  const noWorkers = { reason: 'no_workers', message: 'No worker is registered: start one.' };
  said(index, { ...mine, reason: 'delayed', also: [paused, noWorkers] as never }, /not to run before 1970-01-01T00:01/);
  index.setQueue('mail', null);
  index.setAssignment(addWorker(index, 'w'), taskId(7), assignmentFact());
  said(index, { ...mine, reason: 'delayed' }, /before/);
  index.setAttempt(taskId(1), 2, attempt(2, { retryAt: 70_000 }));
  const again = { ...mine, since: 2000, until: 70_000, worker: 'w', reason: 'backing_off' } as const;
  said(index, again, /Attempt 2 of 3 did not succeed on worker w; the next one may start at 1970-01-01T00:01:10/);
  index.setCancel(taskId(1), { reason: '' });
  said(index, { state: 'scheduled', queue: 'mail', reason: 'cancel_requested' }, /asked to be cancelled/);
});

test('it waits for the tasks that it comes after, each as it is, and after that for its time', () => {
  const index = newIndex();
  addWorker(index, 'w');
  const after = [2, 3, 4, 5].map(taskId);
  const task = { runAt: 60_000, afterFailure: 'wait' } as const;
  for (const number of [2, 3, 4, 5]) addTask(index, number);
  index.setTask(taskId(9), taskFact(9, { ...task, after: [...after, taskId(12)] }));
  const told = () => explainTask(index, taskId(9), now);
  index.setStatus(taskId(2), status());
  index.setStatus(taskId(4), status({ state: 'failed' }));
  const { reason, message, tasks, also, state } = told();
  assert.deepEqual([reason, state, also.map((other) => other.reason)], ['waits_for_tasks', 'scheduled', ['delayed']]);
  assert.deepEqual(tasks, [3, 4, 5, 12].map(taskId));
  const [three, four, five, twelve] = tasks;
  assert.equal(
    message,
    `It comes after other tasks: ${three}, ${five} are to succeed first; ${four} (not retried yet) did not succeed, so a retry of it has to; ${twelve} does not exist yet.`,
  );
  index.setTask(taskId(9), taskFact(9, { afterFailure: 'run', after }));
  assert.match(told().message, new RegExp(`tasks: ${three}, ${five} are to end first\\.$`));
  index.setTask(taskId(9), taskFact(9, { ...task, after: [taskId(2), taskId(3)] }));
  index.setStatus(taskId(3), status());
  assert.match(told().message, /are over, and the leading master is letting it go/);
  index.setUnblocked(taskId(9), now);
  assert.equal(told().reason, 'delayed');
  addTask(index, 10, { after: [taskId(4)] });
  const failing = explainTask(index, taskId(10), now);
  assert.match(failing.message, /as failed, dependency_failed: it comes after task-0000000004, which failed\.$/);
  assert.deepEqual([failing.reason, failing.also], ['being_ended', []]);
});

test('its deadline has passed while it waited', () => {
  const index = newIndex();
  addTask(index, 1, { deadlineAt: now });
  said(
    index,
    { reason: 'being_ended', since: now },
    /Its deadline passed at 1970-01-01T00:00:10.*: the leading master ends it/,
  );
});

test('another task has its exclusive key, or is before it in line', () => {
  const index = newIndex();
  const worker = addWorker(index, 'w', { concurrency: 5 });
  for (const number of [0, 1]) addTask(index, number, { exclusiveKey: 'k', runAt: number === 0 ? 60_000 : null });
  const held = { reason: 'waits_for_key', since: 0, tasks: [taskId(0)], position: 1 } as const;
  said(index, held, /Task task-0000000000 was submitted before it with the same exclusive key k, .*: ask why that one/);
  index.setQueue('default', { ...defaultQueueSettings, paused: true });
  const message = 'Queue default is paused: nothing of it starts until somebody lets it go on.';
  said(index, { ...held, also: [{ reason: 'queue_paused', message }] }, /was submitted before it/);
  index.setQueue('default', null);
  index.setAssignment(worker, taskId(0), assignmentFact());
  said(index, held, /Task task-0000000000 has its exclusive key k, and is run by a worker: it runs when that is over/);
  index.setStatus(taskId(0), status());
  said(index, { ...held, position: 0 }, /has its exclusive key k/);
  index.setAssignment(worker, taskId(0), null);
  index.setTask(taskId(0), 'unread');
  said(index, { reason: 'about_to_run', since: 0, workers: 1, position: 0 }, /Nothing holds it back/);
  index.setTask('task-0' as TaskId, 'unread');
  said(index, { reason: 'waits_for_key', since: 0 }, /still reading tasks, one of which may have its exclusive key k/);
});

test('whoever is far behind in the line of its key is told who holds it up, and how many are before it', () => {
  const index = newIndex();
  const worker = addWorker(index, 'w', { concurrency: 5 });
  for (const number of [0, 2, 3, 4]) addTask(index, number, { exclusiveKey: 'k', runAt: number === 0 ? 60_000 : null });
  const fifth = () => {
    const { message, tasks, position } = explainTask(index, taskId(4), now);
    assert.deepEqual([tasks, position], [[taskId(0)], 3]);
    return message;
  };
  assert.match(
    fifth(),
    /^Task task-0000000000 was .* is not over, and 2 others of that key go before it: ask why that/,
  );
  index.setAssignment(worker, taskId(0), assignmentFact());
  assert.match(
    fifth(),
    /^Task task-0000000000 has .* a worker, and 2 others of that key go before it: it runs when they/,
  );
});

test('a task that waits for a retry names it, so that nobody begins a second one', () => {
  const index = newIndex();
  addTask(index, 1);
  index.setStatus(taskId(1), status({ state: 'failed' }));
  addTask(index, 9, { after: [taskId(1)], afterFailure: 'wait' });
  const told = (tasks: number[], its: RegExp) => {
    const { message, tasks: named } = explainTask(index, taskId(9), now);
    assert.deepEqual(named, tasks.map(taskId));
    assert.match(message, its);
  };
  told([1], /: task-0000000001 \(not retried yet\) did not succeed, so a retry of it has to\.$/);
  addTask(index, 2, { retryOf: taskId(1) });
  told([1, 2], /\(its retry task-0000000002 is queued\) did not/);
  index.setAssignment(addWorker(index, 'w'), taskId(2), assignmentFact());
  told([1, 2], /\(its retry task-0000000002 is running\) did not/);
  index.setStatus(taskId(2), status({ state: 'failed' }));
  told([1, 2], /\(its retry task-0000000002 did not succeed, either\) did not/);
  for (const [number, retryOf] of [
    [3, 2],
    [4, 1],
    [5, 3],
  ] as const)
    addTask(index, number, { retryOf: taskId(retryOf), runAt: 60_000 });
  index.setStatus(taskId(5), status({ state: 'cancelled' }));
  told([1, 4], /\(its retry task-0000000004 is scheduled\) did not/);
});

test('a deadline that comes first says when the wait ends', () => {
  const index = newIndex();
  addTask(index, 1, { runAt: 60_000, deadlineAt: 20_000 });
  addWorker(index, 'w', { concurrency: 9 });
  const mine = { since: 0, until: 20_000 };
  const first = /as its submit said; its deadline ends it before that, at 1970-01-01T00:00:20.000Z\.$/;
  said(index, { ...mine, state: 'scheduled', reason: 'delayed' }, first);
  addTask(index, 1, { runAt: 60_000, deadlineAt: 90_000 });
  said(index, { ...mine, state: 'scheduled', reason: 'delayed', until: 60_000 }, /as its submit said\.$/);
  addTask(index, 0);
  addTask(index, 1, { after: [taskId(0)], deadlineAt: 20_000 });
  const tasks = [taskId(0)];
  const after = /task-0000000000 is to succeed first; its deadline ends it at 1970-01-01T00:00:20.000Z\.$/;
  said(index, { ...mine, state: 'scheduled', reason: 'waits_for_tasks', tasks }, after);
  addTask(index, 1, { deadlineAt: 20_000 });
  index.setQueue('default', { ...defaultQueueSettings, paused: true });
  const paused = { ...mine, reason: 'queue_paused', workers: 1, position: 1 } as const;
  said(index, paused, /lets it go on; its deadline ends it at/);
  index.setQueue('default', null);
  index.setStatus(taskId(0), status());
  said(index, { since: 0, reason: 'about_to_run', workers: 1, position: 0 }, /is given to a worker now\.$/);
});

test('no worker takes it: none at all, none of its type, none of its queue, those that do stop or are not ready', () => {
  const index = newIndex();
  addTask(index, 1, { queue: 'mail' });
  const none = { queue: 'mail', since: 0, workers: 0, position: 0 } as const;
  said(index, { ...none, reason: 'no_workers' }, /No worker is registered: start one/);
  addWorker(index, 'a', { types: ['sleep'] });
  said(
    index,
    { ...none, reason: 'no_worker_for_type' },
    /only worker does not take type echo \(but sleep\): start one/,
  );
  addWorker(index, 'a', { types: ['sleep', 'http'], queues: ['other'] });
  const message = 'The only worker does not serve queue mail, either: start one that does.';
  const unserved = {
    ...none,
    reason: 'no_worker_for_type',
    also: [{ reason: 'no_worker_for_queue', message }],
  } as const;
  said(index, unserved, /type echo \(but http, sleep\): start one/);
  addWorker(index, 'a', { types: Array.from({ length: 11 }, (_, number) => `t${number}`) });
  said(index, { ...none, reason: 'no_worker_for_type' }, /type echo: start one/);
  addWorker(index, 'b', { queues: ['other'] });
  said(
    index,
    { ...none, reason: 'no_worker_for_queue' },
    /None of the 2 workers takes type echo from queue mail: start one/,
  );
  addWorker(index, 'c', { draining: true });
  said(index, { ...none, reason: 'workers_draining' }, /stopping \(1 of 3\): start another/);
  index.setWorker(workerId('d'), workerFact());
  said(index, { ...none, reason: 'workers_not_ready' }, /\(d\): a worker has to make \/assign\/d itself/);
  index.setReachable(workerId('d'), true);
  said(index, { ...none, workers: 1, reason: 'about_to_run' }, /Nothing holds it back/);
});

test('all slots are in use, and how many go first', () => {
  const index = newIndex();
  const worker = addWorker(index, 'a', { concurrency: 2 });
  addTask(index, 1);
  addTask(index, 2, { priority: 5 });
  addTask(index, 3, { priority: 5, type: 'sleep' });
  addTask(index, 4);
  for (const number of [8, 9]) index.setAssignment(worker, taskId(number), assignmentFact());
  const busy = { reason: 'workers_busy', since: 0, workers: 1, limit: 2 } as const;
  said(
    index,
    { ...busy, position: 1 },
    /No slot is free at the 1 worker .* \(2, all in use\), and 1 of its queue and type go/,
  );
  index.setCancel(taskId(2), { reason: '' });
  said(index, { ...busy, position: 0 }, /in use\): it starts/);
  index.setAssignment(worker, taskId(9), null);
  said(index, { reason: 'behind_others', since: 0, workers: 1, position: 0 }, /other tasks go first/);
  planAssignments(index, 10);
  said(index, { ...busy, position: 0 }, /in use\): it starts/);
});

test('its queue is paused, at its concurrency, at its rate; what else would hold it comes after', () => {
  const index = newIndex();
  const worker = addWorker(index, 'a', { concurrency: 5 });
  addTask(index, 1);
  addTask(index, 2, { priority: 1 });
  const set = (settings: object) => index.setQueue('default', { ...defaultQueueSettings, ...settings });
  const held = { since: 0, workers: 1, position: 1 };
  set({ paused: true });
  said(index, { ...held, reason: 'queue_paused' }, /Queue default is paused/);
  set({ concurrency: 1 });
  planAssignments(index, 10);
  const alone = { ...held, position: 0 };
  said(index, { ...alone, reason: 'queue_concurrency', limit: 1 }, /1 task at a time, and does: it starts when/);
  set({ concurrency: 0 });
  said(
    index,
    { ...alone, reason: 'queue_concurrency', limit: 0 },
    /^The concurrency of queue default is 0: nothing of it/,
  );
  set({ ratePerSecond: 0.5, burst: 1 });
  planAssignments(index, 1);
  index.settle(entryOf(index, 1), worker);
  index.queues.noteStart('default', now);
  said(index, { ...alone, reason: 'queue_rate', limit: 0.5, until: 12_000 }, /its rate of 0.5 a second; the next/);
  index.setWorker(worker, null);
  const also = [{ reason: 'no_workers', message: 'No worker is registered: start one.' }] as const;
  said(index, { ...alone, workers: 0, reason: 'queue_rate', limit: 0.5, until: 12_000, also }, /rate/);
});

test('given to a worker, and set aside after it came back', () => {
  const index = newIndex();
  const worker = addWorker(index, 'w');
  addTask(index, 1);
  index.decide(entryOf(index, 1), null);
  said(index, { reason: 'not_seen_yet' }, /about to see a change of the task: ask again/);
  index.settle(entryOf(index, 1), null);
  planAssignments(index, 1);
  said(index, { reason: 'about_to_run', since: 0, worker: 'w' }, /being given to worker w/);
  index.settle(entryOf(index, 1), worker, 20);
  said(index, { reason: 'set_aside', until: now + 20 }, /was refused.* looked at again at 1970-01-01T00:00:10.020Z/);
  index.advance(now + 20);
  index.review(20);
  for (let times = 0; times < 2; times += 1) {
    index.setAssignment(worker, taskId(1), assignmentFact());
    index.setAssignment(worker, taskId(1), null);
  }
  said(
    index,
    { reason: 'set_aside', until: now + 1020 },
    /handed it back 2 times without an outcome; it is given to one again at/,
  );
});

const fleet: readonly ExplainReason[] = [
  ...(['queue_paused', 'queue_concurrency', 'queue_rate', 'no_workers', 'no_worker_for_type'] as const),
  ...(['no_worker_for_queue', 'workers_draining', 'workers_not_ready', 'workers_busy'] as const),
  ...(['behind_others', 'about_to_run'] as const),
];
const reasonsOf: Readonly<Record<Phase, readonly ExplainReason[]>> = {
  ready: fleet,
  in_line: ['waits_for_key'],
  scheduled: ['waits_for_tasks', 'backing_off', 'delayed'],
  final: ['succeeded', 'failed', 'cancelled'],
  running: ['running', 'withdrawing'],
  foreign: ['newer_version'],
  unsettled: [
    'waits_for_tasks',
    'worker_lost',
    'running',
    'withdrawing',
    'cancel_requested',
    'being_ended',
    'succeeded',
    'failed',
    'not_seen_yet',
  ],
  unclear: ['not_seen_yet', 'unreadable', 'set_aside', 'cancel_requested', 'being_ended'],
};

const related: Readonly<Record<number, Partial<TaskBrief>>> = {
  0: { type: 'x', queue: 'p', exclusiveKey: 'k' },
  1: { type: 'y', queue: 'q', exclusiveKey: 'k' },
  2: { type: 'x', queue: 'p', after: [taskId(0)] },
  3: { type: 'y', queue: 'p', after: [taskId(1)], afterFailure: 'wait' },
  4: { type: 'x', queue: 'q', exclusiveKey: 'k', after: [taskId(3)], afterFailure: 'run' },
  // No fact by chance is about these.
  20: { type: 'x', queue: 'p' },
  21: { type: 'y', queue: 'q' },
};

/** What there is before chance has its way, so that something can run. */
const base: readonly Fact[] = [
  ...['a', 'b'].map((name) => ({
    about: name,
    tell: (index: TaskIndex) => void addWorker(index, name, { concurrency: 2 }),
  })),
  ...Object.entries(related).map(([number, options]) => ({
    about: number,
    tell: (index: TaskIndex) => void addTask(index, Number(number), options),
  })),
];

test('what is said is what its phase is, and about to run is what a plan takes and nothing else', () => {
  const seen = new Map<ExplainReason, number>();
  fc.assert(
    fc.property(facts, setQueues, fc.nat(2), (history, settings, starts) => {
      const index = told([...base, ...history]);
      for (const [queue, its] of settings) {
        index.setQueue(queue, { ...defaultQueueSettings, ...its });
        for (let count = 0; count < starts; count += 1) index.queues.noteStart(queue, factsNow);
      }
      const reasons = () =>
        new Map([...index.tasks.keys()].map((id) => [id, explainTask(index, id, factsNow).reason] as const));
      const before = reasons();
      for (const [id, reason] of before) {
        const entry = index.tasks.get(id);
        assert.ok(entry && reasonsOf[index.phase(entry)].includes(reason), `${id} ${reason}`);
      }
      const decided = new Set(planAssignments(index, 1000).map(({ task }) => task));
      for (const [id, reason] of before) {
        if (reason === 'about_to_run') assert.ok(decided.has(id), `${id} was not taken`);
        if (decided.has(id))
          assert.ok(reason === 'about_to_run' || reason === 'behind_others', `${id} ${reason} was taken`);
      }
      for (const reason of [...before.values(), ...reasons().values()]) seen.set(reason, (seen.get(reason) ?? 0) + 1);
      for (const [id, reason] of reasons()) {
        assert.notEqual(reason, 'behind_others');
        assert.equal(reason === 'about_to_run', decided.has(id), `${id} ${reason}`);
      }
    }),
    { numRuns: 1000 },
  );
  const missing = [...fleet, 'waits_for_key', 'waits_for_tasks', 'delayed', 'backing_off'].filter(
    (reason) => (seen.get(reason as ExplainReason) ?? 0) === 0,
  );
  assert.deepEqual(missing, [], 'chance has made all of them');
});

// Goal: what a correct system may do under faults is never taken for a violation, however odd it looks. Method: runs made up step by step; each
// verdict has to be clean, and to say that it saw what happened.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { neverExercised } from '../../../chaos/judge/exercise.ts';
import { paths } from '../../../coordination/znode-paths.ts';
import { assertKept, exercisedInAll } from './judgements.ts';
import { MadeUpRun, oneEnded, refused, submitOf, unknown } from './made-up-run.ts';

test('a task that is submitted, run and seen', () => {
  const run = new MadeUpRun();
  const id = run.task();
  run.runs(id, 'worker1');
  run.see(id);
  const seen = { 'successes compared with evidence': 1, 'final states seen': 1, 'tasks that ended succeeded': 1 };
  assertKept(run, { 'tasks acknowledged': 1, runs: 1, ...seen });
});

test('submits whose answer was lost: one has made its task, the other has not; one was refused', () => {
  const run = new MadeUpRun();
  run.runs(run.task({}, { answer: 'unknown' }), 'worker1');
  run.task({}, { answer: 'lost' });
  run.call(submitOf([{ marker: 'full', type: 'long' }]), refused('queue-full'));
  const unknowns = { 'unknown submits that made it': 1, 'unknown submits that made nothing': 1 };
  assertKept(run, { ...unknowns, 'calls submit no': 1, 'tasks acknowledged': 0 });
});

test('a key that is repeated over both gateways and faces after its answer was lost', () => {
  const run = new MadeUpRun();
  const spec = { marker: 'keyed', type: 'long' };
  const [id = ''] = run.submit([spec], { key: 'k', answer: 'unknown' });
  run.pass(100);
  run.call(submitOf([spec], 'k'), run.repeated(id), { gateway: 'gateway2', face: 'grpc' });
  run.runs(id, 'worker1');
  run.call(submitOf([spec], 'k'), run.repeated(id));
  assertKept(run, { 'keys repeated': 1, 'keys repeated over another gateway': 1, 'tasks acknowledged': 1 });
});

test('a batch that nobody knows of, whose second task comes after the first', () => {
  const run = new MadeUpRun();
  const specs = [
    { marker: 'first', type: 'long' },
    { marker: 'second', type: 'long', after: [0] },
  ];
  const [first = '', second = ''] = run.submit(specs, { answer: 'unknown' });
  run.runs(first, 'worker1');
  run.unblock(second);
  run.runs(second, 'worker2');
  assertKept(run, { 'batches unknown': 1, 'dependencies compared': 1 });
});

test('a worker that is killed in its run', () => {
  const run = new MadeUpRun();
  const first = run.assign(run.task(), 'worker1');
  run.starts(first, 100);
  run.kill('worker1', 500);
  run.pass(6000);
  run.lose(first);
  run.runs(first.id, 'worker1');
  const exercised = { 'ends of a worker': 1, 'runs that died with their worker': 1, 'attempts lost': 1 };
  assertKept(run, { ...exercised, 'overlapping runs of a task': 0 });
});

test('a worker that is told to stop hands its run back, and the attempt is made again under its number', () => {
  const run = new MadeUpRun();
  const id = run.task();
  const first = run.assign(id, 'worker1');
  run.starts(first, 100);
  run.line(first, 'end', 'aborted');
  run.handBack(first);
  run.kill('worker1', 500, 'stop');
  run.pass(20);
  run.runs(id, 'worker2');
  assertKept(run, { 'runs handed back': 1, 'ends of a worker': 1, 'attempts lost': 0 });
});

test('attempts that fail, a last one that has too large a result, and retries, of which one is unknown', () => {
  const run = new MadeUpRun();
  const id = run.task({ maxAttempts: 2, backoff: { type: 'fixed', delayMs: 100, maxDelayMs: null, jitter: false } });
  const first = run.assign(id, 'worker1');
  run.starts(first, 50);
  run.throws(first);
  run.pass(100);
  const second = run.assign(id, 'worker2');
  run.starts(second, 50);
  run.line(second, 'end', 'returned');
  const error = { code: 'invalid_result', message: 'too large' } as const;
  run.end(second, { kind: 'failed', error, retryable: true, retryAfterMs: null });
  const spec = { marker: 'm1', type: 'long', retryOf: id };
  const [again = ''] = run.make([spec]);
  run.call({ operation: 'retry', id, key: null }, run.yes(again));
  const [unknownAgain = ''] = run.make([spec]);
  run.call({ operation: 'retry', id, key: null }, unknown);
  run.runs(again, 'worker1');
  run.runs(unknownAgain, 'worker2');
  assertKept(run, {
    'attempts failed': 2,
    'failures compared with evidence': 1,
    'retries yes': 1,
    'retries unknown': 1,
  });
});

test('deleted tasks: known, unknown, and one whose key makes another', () => {
  const run = new MadeUpRun();
  const spec = { marker: 'keyed', type: 'long' };
  const [keyed = ''] = run.submit([spec], { key: 'k' });
  const [known, unsure] = [run.task(), run.task()];
  for (const id of [keyed, known, unsure]) {
    run.runs(id, 'worker1');
    run.delete(id);
    run.call({ operation: 'delete', id }, id === unsure ? unknown : { is: 'yes', tasks: [] });
  }
  run.call({ operation: 'get', id: known, waitMs: null }, refused('task-not-found'));
  const [other = ''] = run.submit([spec], { key: 'k' });
  run.runs(other, 'worker2');
  assertKept(run, { 'tasks deleted': 3, 'deletes acknowledged': 2, 'keys repeated': 1 });
});

test('cancels: of a task that waits, of one that runs, of one whose worker is lost, and one that comes too late', () => {
  const run = new MadeUpRun();
  const [waits, runs, loses, late] = [run.task(), run.task(), run.task(), run.task()];
  const [running, losing, ending] = [
    run.assign(runs, 'worker1'),
    run.assign(loses, 'worker2'),
    run.assign(late, 'worker3'),
  ];
  run.starts(running, 50);
  run.starts(ending, 50);
  for (const id of [waits, runs, loses, late]) {
    run.requestCancel(id);
    run.call({ operation: 'cancel', id }, run.done(id));
  }
  run.endWaiting(waits, { kind: 'cancelled', reason: 'no use' });
  run.line(running, 'end', 'aborted');
  run.end(running, { kind: 'cancelled', reason: 'no use' });
  run.end(losing, { kind: 'worker_lost', lostBefore: 0, cancel: 'no use' });
  run.returns(ending);
  run.call({ operation: 'cancel', id: late }, refused('task-already-final'));
  assertKept(run, { 'tasks cancelled': 3, 'cancels acknowledged': 4, 'cancels that came too late': 1 });
});

test('tasks of one key, one after the other', () => {
  const run = new MadeUpRun();
  for (const id of [run.task({ exclusiveKey: 'e' }), run.task({ exclusiveKey: 'e' })]) run.runs(id, 'worker1');
  assertKept(run, { 'runs with an exclusive key': 2, 'exclusive pairs compared': 1 });
});

test('a task that waits for a retry steps aside in the line of its key, and may wait for ever', () => {
  const run = new MadeUpRun();
  const failing = run.task({ maxAttempts: 1 });
  const waiting = run.task({ after: [failing], afterFailure: 'wait', exclusiveKey: 'e' });
  const waitingToo = run.task({ after: [waiting], exclusiveKey: 'e' });
  const last = run.task({ exclusiveKey: 'e' });
  const first = run.assign(failing, 'worker1');
  run.starts(first, 50);
  run.throws(first);
  run.runs(last, 'worker2');
  run.see(waitingToo);
  assertKept(run, { 'tasks that wait for a retry': 2, 'tasks that come after others': 2 });
});

test('who comes after a task that failed fails, runs, or waits for its retry', () => {
  const run = new MadeUpRun();
  const failing = run.task({ maxAttempts: 1 });
  const [fails, runs, waits] = [
    run.task({ after: [failing], afterFailure: 'fail' }),
    run.task({ after: [failing], afterFailure: 'run' }),
    run.task({ after: [failing], afterFailure: 'wait' }),
  ];
  const first = run.assign(failing, 'worker1');
  run.starts(first, 50);
  run.throws(first);
  run.endWaiting(fails, { kind: 'dependency_failed', message: 'it failed' });
  run.unblock(runs);
  run.runs(runs, 'worker1');
  const [again = ''] = run.make([{ marker: 'm1', type: 'long', retryOf: failing }]);
  run.call({ operation: 'retry', id: failing, key: null }, run.yes(again));
  run.runs(again, 'worker1');
  run.unblock(waits);
  run.runs(waits, 'worker1');
  assertKept(run, { 'tasks that failed with one before them': 1, 'dependencies compared': 2 });
});

test('times: a delay, a deadline that ends a run and one that ends waiting, a timeout', () => {
  const run = new MadeUpRun();
  const delayed = run.task({ delayMs: 2000 });
  const [ends, waits, late] = [
    run.task({ deadlineMs: 1000 }),
    run.task({ deadlineMs: 500 }),
    run.task({ timeoutMs: 300, maxAttempts: 1 }),
  ];
  const [ending, long] = [run.assign(ends, 'worker1'), run.assign(late, 'worker2')];
  run.starts(ending, 25);
  run.starts(long, 300);
  run.line(long, 'end', 'aborted');
  run.end(long, { kind: 'timed_out' });
  run.beats(ending, 200);
  run.endWaiting(waits, { kind: 'expired' });
  run.beats(ending, 500);
  run.line(ending, 'end', 'aborted');
  run.end(ending, { kind: 'expired' });
  run.pass(1000);
  run.runs(delayed, 'worker1');
  assertKept(run, {
    'delays compared': 1,
    'tasks that expired': 2,
    'attempts timed_out': 2,
    'tasks with a deadline': 2,
  });
});

test('priorities: one that comes when nobody knew of it, and one whose first commit was refused, are passed over', () => {
  const run = new MadeUpRun();
  const [low, high, other] = [run.task({ priority: -1 }), run.task({ priority: 5 }), run.task()];
  run.runs(high, 'worker1');
  const unheardOf = run.task({ priority: 9 });
  run.runs(other, 'worker2');
  run.pass(300);
  run.runs(unheardOf, 'worker1');
  run.runs(low, 'worker1');
  const [refused, next, newer] = [run.task({ priority: 9 }), run.task(), run.task()];
  run.runs(newer, 'worker1');
  run.runs(next, 'worker1');
  run.runs(refused, 'worker1');
  assertKept(run, { 'priorities compared': 3 });
});

test('streams that leave something out, go a step back for a run that was handed back, and end', () => {
  const run = new MadeUpRun();
  const id = run.task();
  run.runs(id, 'worker1');
  const waiting = { state: 'queued', attempt: 0, worker: null };
  const running = { state: 'running', attempt: 1, worker: 'worker1' };
  run.watched(id, waiting, running, running, waiting, running, run.seen(id));
  run.watched(
    id,
    { ...running, attempt: 1 },
    { ...waiting, state: 'scheduled', attempt: 1 },
    { ...running, attempt: 3 },
  );
  assertKept(run, { streams: 2, 'steps in streams': 9 });
});

test('what a gateway shows may be older than what another one has shown, or what it has shown before its links were broken', () => {
  const run = new MadeUpRun();
  const id = run.task();
  const waiting = run.seen(id);
  run.runs(id, 'worker1');
  run.see(id);
  const old = () => ({ operation: 'get', id, waitMs: null }) as const;
  run.pass(10);
  run.call(old(), { is: 'yes', tasks: [waiting] }, { gateway: 'gateway2' });
  run.fault('cut', ['gateway1'], run.at, run.at + 500);
  run.pass(1000);
  run.call(old(), { is: 'yes', tasks: [waiting] });
  assertKept(run, { 'looks that went back, since something was broken': 1 });
});

test('processes end where faults say so, servers also by themselves, and all when it is over; what they hold has not grown', () => {
  const run = new MadeUpRun();
  run.kill('zookeeper1', 100);
  run.kill('gateway1', 100, 'stop');
  run.kill('master1', 100);
  const held = { watches: 3, timers: 5 };
  run.entries.push({ kind: 'leftover', id: 'gateway2', baseline: held, end: { ...held, timers: 4 } });
  run.entries.push({ kind: 'picture', id: 'master1', differences: [] });
  const faults = { 'faults kill': 2, 'faults stop': 1, 'ends of a zookeeper': 1, 'ends of a gateway': 1 };
  assertKept(run, { ...faults, 'processes asked what they hold': 1, 'pictures of masters compared': 1 });
});

test('a process that is told to stop while it still loads its code', () => {
  const run = new MadeUpRun();
  run.pass(60_000);
  run.kill('gateway1', 100);
  run.pass(1000);
  run.kill('gateway1', 100, 'stop');
  const exit = run.entries.findLast((entry) => entry.kind === 'process' && entry.event === 'exited');
  Object.assign(exit ?? {}, { code: null, signal: 'SIGTERM' });
  assertKept(run, { 'ends of a gateway': 2 });
});

test('commands of the shell: one that prints its evidence, and one that leaves none', () => {
  const run = new MadeUpRun();
  const [first, second] = [run.task({ type: 'shell' }), run.task({ type: 'shell' })];
  const told = run.assign(first, 'worker1');
  run.starts(told, 25);
  run.line(told, 'end', 'returned');
  const printed = `${JSON.stringify({ token: String(told.token), attempt: 1, pid: run.pidOf('worker1') })}\n`;
  run.end(told, { kind: 'succeeded', result: { exitCode: 0, stdout: printed, stderr: '' } });
  run.end(run.assign(second, 'worker1'), { kind: 'succeeded', result: { exitCode: 0, stdout: 'hello', stderr: '' } });
  assertKept(run, { 'successes compared with evidence': 1 });
});

test('the count of unfinished tasks may be a second old', () => {
  const { run } = oneEnded();
  run.tree.create(paths.backlog, '{"v":1,"unfinished":1}', run.epochMs);
  run.pass(60_000); // the tree was read before
  assertKept(run, { 'tasks that ended succeeded': 1 });
});

test('commands that are killed while their worker goes on: before and after they have written anything', () => {
  const run = new MadeUpRun();
  const error = { code: 'handler_error', message: 'shell: killed' } as const;
  const killed = { kind: 'failed', error, retryable: true, retryAfterMs: 0 } as const;
  const id = run.task({ type: 'shell' });
  run.end(run.assign(id, 'worker1'), killed);
  const second = run.assign(id, 'worker1');
  run.starts(second, 25);
  run.line(second, 'end', 'aborted');
  run.end(second, killed);
  run.runs(id, 'worker1');
  assertKept(run, { 'failures compared with evidence': 2 });
});

test('the key of a batch may outlive its tasks', () => {
  const run = new MadeUpRun();
  const specs = [
    { marker: 'a', type: 'long' },
    { marker: 'b', type: 'long' },
  ];
  for (const id of run.submit(specs, { key: 'k' })) {
    run.runs(id, 'worker1');
    run.delete(id);
    run.call({ operation: 'delete', id }, { is: 'yes', tasks: [] });
  }
  assertKept(run, { 'keys of batches that outlived their tasks': 1, 'tasks deleted': 2 });
});

test('what a run is to exercise has come up in these', () => {
  assert.deepEqual(neverExercised({ assumptions: [], violations: [], exercised: exercisedInAll }), []);
});

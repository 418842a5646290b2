// Goal: of two runs of one task, or of one key, that overlap the judge excuses those that no system could have kept from it, and finds all others. Method:
// a worker that stands still, or does not, for as long as matters, and no longer.

import { test } from 'node:test';
import { assertKept, violations } from './judgements.ts';
import { MadeUpRun } from './made-up-run.ts';

/** The first run goes on when its task has been given to another worker. */
function overtaken(betweenMs: number, forge: (run: MadeUpRun) => void = () => undefined): () => MadeUpRun {
  return () => {
    const run = new MadeUpRun();
    const first = run.assign(run.task(), 'worker1');
    run.starts(first, betweenMs);
    forge(run);
    run.lose(first);
    const second = run.assign(first.id, 'worker2');
    run.pass(2);
    run.line(second, 'start');
    run.beats(first, 600);
    run.returns(second);
    return run;
  };
}

/** The first run stands still for `stillMs`, its task is given to another worker so long before the end of that, and it goes on for `onMs`. */
function overtakenAsleep(
  stillMs: number,
  early: number,
  onMs: number,
  forge: (run: MadeUpRun) => void = () => undefined,
) {
  return () => {
    const run = new MadeUpRun();
    const first = run.assign(run.task(), 'worker1');
    run.starts(first, 5000);
    forge(run);
    run.pass(stillMs - early);
    run.lose(first);
    const second = run.assign(first.id, 'worker2');
    run.line(second, 'start');
    run.pass(early);
    run.line(first, 'beat');
    run.beats(first, onMs);
    run.returns(second);
    return run;
  };
}

/** Cancelled, and taken by force so long after that; the next one of its key runs. */
function takenAfterCancel(type: string, afterMs: number): MadeUpRun {
  const run = new MadeUpRun();
  const first = run.assign(run.task({ type, exclusiveKey: 'k' }), 'worker1');
  run.starts(first, 100);
  run.requestCancel(first.id);
  run.call({ operation: 'cancel', id: first.id }, run.done(first.id));
  run.beats(first, afterMs);
  run.end(first, { kind: 'cancelled', reason: 'no use' }, true);
  const next = run.assign(run.task({ exclusiveKey: 'k' }), 'worker2');
  run.line(next, 'start');
  run.beats(first, 100);
  run.returns(next);
  return run;
}

/** A task that may take a second, taken by force so long after its beginning from a handler that beats seldom. */
function takenAfterTimeout(type: string, afterMs: number): MadeUpRun {
  const run = new MadeUpRun();
  const backoff = { type: 'fixed', delayMs: 0, maxDelayMs: null, jitter: false } as const;
  const first = run.assign(run.task({ type, timeoutMs: 1000, backoff }), 'worker1');
  run.line(first, 'start');
  for (let ms = 0; ms < afterMs; ms += 200) {
    run.pass(200);
    run.line(first, 'beat');
  }
  run.end(first, { kind: 'timed_out', byForce: true }, true);
  const second = run.assign(first.id, 'worker2');
  run.line(second, 'start');
  run.beats(first, 25);
  run.returns(second);
  return run;
}

test('a worker that is frozen past its session leaves a run that overlaps the next one, for a moment after its thaw', () => {
  const run = new MadeUpRun();
  const first = run.assign(run.task(), 'worker1');
  run.starts(first, 100);
  run.fault('freeze', ['worker1'], run.at, run.at + 9000);
  run.pass(7000);
  run.lose(first);
  const second = run.assign(first.id, 'worker2');
  run.starts(second, 2000);
  run.line(first, 'beat');
  run.pass(200);
  run.line(first, 'beat');
  run.returns(second);
  const overlap = { 'overlapping runs of a task, one frozen': 1, 'tasks that ran more than once': 1 };
  assertKept(run, { ...overlap, 'faults freeze': 1, 'attempts lost': 1, 'runs that were cut off': 1 });
});

test('a frozen worker may begin a run only after its thaw, when another has it already', () => {
  const run = new MadeUpRun();
  const first = run.assign(run.task(), 'worker1');
  run.fault('freeze', ['worker1'], run.at, run.at + 9000);
  run.pass(7000);
  run.lose(first);
  const second = run.assign(first.id, 'worker2');
  run.starts(second, 2000);
  run.starts(first, 25);
  run.returns(second);
  assertKept(run, { 'overlapping runs of a task, one frozen': 1 });
});

test('a worker that the machine had stopped, as its beats tell', () => {
  const run = new MadeUpRun();
  const first = run.assign(run.task(), 'worker1');
  run.starts(first, 100);
  run.pass(5000);
  run.lose(first);
  const second = run.assign(first.id, 'worker2');
  run.starts(second, 100);
  run.line(first, 'beat');
  run.returns(second);
  assertKept(run, { 'overlapping runs of a task, one stalled': 1 });
});

test('a worker that stood still as others of its runs tell, and begins one that another has already', () => {
  const run = new MadeUpRun();
  const [first, other] = [run.assign(run.task(), 'worker1'), run.assign(run.task(), 'worker1')];
  run.starts(other, 100);
  run.pass(7000);
  run.lose(first);
  run.lose(other);
  const second = run.assign(first.id, 'worker2');
  run.starts(second, 100);
  run.line(other, 'beat');
  run.starts(first, 25);
  run.returns(second);
  run.runs(other.id, 'worker2');
  assertKept(run, { 'overlapping runs of a task, one stalled': 1 });
});

test('a worker whose link had been cut for most of its session stands still for the rest of it', () => {
  const forge = (run: MadeUpRun) => run.fault('cut', ['worker1'], run.at - 4000, run.at + 1000);
  assertKept(overtakenAsleep(1500, 50, 400, forge)(), { 'overlapping runs of a task, one stalled': 1 });
});

test('a doze that is short, after a server of the ensemble was gone', () => {
  const forge = (run: MadeUpRun) => {
    run.fault('freeze', ['zookeeper2'], run.at - 4000, run.at - 1000);
    run.fault('doze', ['worker1'], run.at, run.at + 1500);
  };
  assertKept(overtakenAsleep(1500, 50, 0, forge)(), { 'overlapping runs of a task, one frozen': 1 });
});

test('the next run begins when a worker that stood still past its session has not yet noticed', () => {
  const run = new MadeUpRun();
  const first = run.assign(run.task(), 'worker1');
  run.starts(first, 100);
  run.fault('freeze', ['worker1'], run.at, run.at + 9000);
  run.pass(9000);
  run.line(first, 'beat');
  run.lose(first);
  const second = run.assign(first.id, 'worker2');
  run.line(second, 'start');
  run.beats(first, 200);
  run.returns(second);
  assertKept(run, { 'overlapping runs of a task, one frozen': 1 });
});

test('a worker that is frozen again before it has noticed', () => {
  const run = new MadeUpRun();
  const first = run.assign(run.task(), 'worker1');
  run.starts(first, 100);
  run.fault('freeze', ['worker1'], run.at, run.at + 9000);
  run.pass(7000);
  run.lose(first);
  run.runs(first.id, 'worker2', 2000);
  run.beats(first, 50);
  run.fault('freeze', ['worker1'], run.at, run.at + 9000);
  run.pass(9000);
  run.beats(first, 50);
  assertKept(run, { 'overlapping runs of a task, one frozen': 1 });
});

for (const type of ['deaf', 'blocking']) {
  test(`a ${type} handler goes on for a while when its task was taken by force`, () => {
    const exercised = { 'overlapping runs of a key, one taken by force': 1, 'exclusive pairs compared': 1 };
    assertKept(takenAfterCancel(type, 5000), exercised);
    assertKept(takenAfterTimeout(type, 11_000), { 'overlapping runs of a task, one taken by force': 1 });
  });
}

violations('overlapping-runs', {
  'a worker that goes on without its session': [/still went on 600 ms after/, overtaken(500)],
  'a freeze that was over long before': [
    /still went on/,
    overtaken(6000, (run) => run.fault('freeze', ['worker1'], run.at - 5000, run.at - 3000)),
  ],
  'a doze that is shorter than a session': [
    /still went on \d+ ms after/,
    overtakenAsleep(200, 50, 1700, (run) => run.fault('doze', ['worker1'], run.at, run.at + 200)),
  ],
  'a doze that is shorter than a session, however soon its worker noticed': [
    /still went on/,
    overtakenAsleep(3000, 50, 0, (run) => run.fault('doze', ['worker1'], run.at, run.at + 3000)),
  ],
  'beats that are missing for too short a time': [/still went on/, overtakenAsleep(101, 50, 400)],
  'a session that cannot have been over when the next one began': [
    /still went on/,
    overtakenAsleep(9000, 8000, 0, (run) => run.fault('freeze', ['worker1'], run.at, run.at + 9000)),
  ],
  'a worker that goes on for too long after its thaw': [
    /still went on/,
    overtakenAsleep(9000, 2000, 600, (run) => run.fault('freeze', ['worker1'], run.at, run.at + 9000)),
  ],
  'a worker that goes on for too long after the machine had stopped it': [
    /still went on/,
    overtakenAsleep(9000, 2000, 600),
  ],
  'a link that was cut, and a worker that never stood still': [
    /still went on/,
    overtaken(6000, (run) => run.fault('cut', ['worker1'], run.at - 6000, run.at + 1000)),
  ],
  'a link that was cut, and a pause that its own clock had to come before': [
    /still went on/,
    overtakenAsleep(200, 50, 0, (run) => run.fault('cut', ['worker1'], run.at - 6000, run.at + 1000)),
  ],
  'a link that was whole again long before a pause that is too short': [
    /still went on/,
    overtakenAsleep(2000, 50, 0, (run) => run.fault('cut', ['worker1'], run.at - 5000, run.at - 4000)),
  ],
  'a run that begins late on a worker that is awake': [
    /still went on/,
    () => {
      const run = new MadeUpRun();
      const [first, other] = [run.assign(run.task(), 'worker1'), run.assign(run.task(), 'worker1')];
      run.starts(other, 7000);
      run.returns(other);
      run.lose(first);
      run.runs(first.id, 'worker2', 100);
      run.starts(first, 25);
      return run;
    },
  ],
  'a freeze of another worker': [
    /still went on/,
    overtaken(6000, (run) => run.fault('freeze', ['worker3'], run.at - 100, run.at + 600)),
  ],
  'a freeze that began when the next one ran already': [
    /still went on/,
    overtaken(6000, (run) => run.fault('freeze', ['worker1'], run.at + 500, run.at + 600)),
  ],
  'a command of a worker that is frozen': [
    /still went on/,
    () => {
      const run = new MadeUpRun();
      const first = run.assign(run.task({ type: 'shell' }), 'worker1');
      run.starts(first, 100);
      run.fault('freeze', ['worker1'], run.at, run.at + 9000);
      run.beats(first, 7000);
      run.lose(first);
      const second = run.assign(first.id, 'worker2');
      run.line(second, 'start');
      run.beats(first, 600);
      run.returns(second);
      return run;
    },
  ],
  'a run that begins when the next one is over': [
    /still went on/,
    () => {
      const run = new MadeUpRun();
      const first = run.assign(run.task(), 'worker1');
      run.pass(5000);
      run.lose(first);
      run.runs(first.id, 'worker2');
      run.line(first, 'start');
      return run;
    },
  ],
  'a command that outlives its worker': [
    /went on 3\d\d\d ms after its worker had ended/,
    () => {
      const run = new MadeUpRun();
      const first = run.assign(run.task({ type: 'shell' }), 'worker1');
      run.starts(first, 100);
      run.kill('worker1', 100);
      run.beats(first, 3000);
      run.pass(25);
      run.lose(first);
      run.runs(first.id, 'worker2');
      return run;
    },
  ],
  'a handler that is taken by force, and would have heeded its signal': [
    /still went on/,
    () => takenAfterTimeout('long', 11_000),
  ],
  'a deaf handler that is taken by force before its grace is over': [
    /still went on/,
    () => takenAfterTimeout('deaf', 3000),
  ],
});

violations('exclusive-keys', {
  'a cancelled handler that is taken by force, and would have heeded its signal': [
    /still ran/,
    () => takenAfterCancel('long', 5000),
  ],
  'a deaf handler that is taken by force before its grace is over': [/still ran/, () => takenAfterCancel('deaf', 2000)],
});

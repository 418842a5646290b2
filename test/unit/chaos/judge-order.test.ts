// Goal: the judge finds tasks that were run out of order: keys held twice or out of turn, worse ones before better ones, before what they come after, before
// their time or after it, and cancels that were not kept. Method: a run in which all is well, and one thing forged; the one rule has to find it.

import { violations } from './judgements.ts';
import { MadeUpRun } from './made-up-run.ts';
import type { Spec } from './made-up-tasks.ts';

const exclusive = { exclusiveKey: 'e' };

violations('exclusive-keys', {
  'two at the same time': [
    /task-0000000000 still ran 100 ms after task-0000000001 had begun/,
    () => {
      const run = new MadeUpRun();
      const [first, second] = [run.task(exclusive), run.task(exclusive)];
      // By the transactions all is in order.
      const older = run.assign(first, 'worker1');
      run.succeed(older, run.pidOf('worker1'));
      const newer = run.assign(second, 'worker2');
      run.starts(older, 50);
      run.line(newer, 'start');
      run.beats(older, 100);
      run.line(older, 'end', 'returned');
      run.returns(newer);
      return run;
    },
  ],
  'out of turn': [
    /task-0000000001 was run before task-0000000000, which came before it, had ended/,
    () => {
      const run = new MadeUpRun();
      const [first, second] = [run.task(exclusive), run.task(exclusive)];
      run.runs(second, 'worker1');
      run.runs(first, 'worker2');
      return run;
    },
  ],
  'out of turn while an earlier one backs off': [
    /was run before task-0000000000/,
    () => {
      const run = new MadeUpRun();
      const [first, second] = [run.task({ ...exclusive, maxAttempts: 2 }), run.task(exclusive)];
      const failing = run.assign(first, 'worker1');
      run.starts(failing, 25);
      run.throws(failing);
      run.runs(second, 'worker2');
      run.pass(1000);
      run.runs(first, 'worker1');
      return run;
    },
  ],
});

/** So many tasks of the priorities are submitted at once, and run in this order. */
function inOrder(specs: readonly Partial<Spec>[], order: readonly number[], lastMs = 100): MadeUpRun {
  const run = new MadeUpRun();
  const ids = specs.map((spec) => run.task(spec));
  for (const place of order) {
    run.runs(ids[place] ?? '', 'worker1', 50);
    run.pass(lastMs);
  }
  return run;
}

const plain: readonly Partial<Spec>[] = Array.from({ length: 10 }, () => ({}));

violations('priorities', {
  'first come first served, whatever the priority': [
    /task-0000000005, of priority 5, waited while [5-9] that come after it/,
    () =>
      inOrder(
        [...plain.slice(0, 5), { priority: 5 }, ...plain],
        [6, 0, 1, 2, 3, 4, 7, 8, 5, 9, 10, 11, 12, 13, 14, 15],
        200,
      ),
  ],
  'the last first': [
    /task-0000000000, of priority 0, waited/,
    () => inOrder(plain, [9, 8, 7, 6, 5, 4, 3, 2, 1, 0], 200),
  ],
});

violations('dependencies', {
  'a run before it was let go': [
    /task-0000000001 was run before it was let go/,
    () => {
      const run = new MadeUpRun();
      const first = run.task();
      const second = run.task({ after: [first] });
      run.runs(second, 'worker1');
      run.runs(first, 'worker1');
      return run;
    },
  ],
  'let go too soon': [
    /was let go before task-0000000000 had ended/,
    () => {
      const run = new MadeUpRun();
      const first = run.task();
      const second = run.task({ after: [first] });
      run.unblock(second);
      run.runs(second, 'worker1');
      run.runs(first, 'worker1');
      return run;
    },
  ],
  'let go though the one before failed': [
    /was let go though task-0000000000 ended failed/,
    () => {
      const run = new MadeUpRun();
      const first = run.task({ maxAttempts: 1 });
      const second = run.task({ after: [first] });
      run.lose(run.assign(first, 'worker1'));
      run.unblock(second);
      run.runs(second, 'worker1');
      return run;
    },
  ],
  'let go before the retry that it waits for had succeeded': [
    /was let go though task-0000000000 ended failed/,
    () => {
      const run = new MadeUpRun();
      const first = run.task({ maxAttempts: 1 });
      const second = run.task({ after: [first], afterFailure: 'wait' });
      run.lose(run.assign(first, 'worker1'));
      const [again = ''] = run.make([{ marker: 'm1', type: 'long', retryOf: first }]);
      run.call({ operation: 'retry', id: first, key: null }, run.yes(again));
      run.unblock(second);
      run.runs(second, 'worker1');
      run.runs(again, 'worker1');
      return run;
    },
  ],
  'failed for nothing': [
    /failed since one before it did not succeed, and none did/,
    () => {
      const run = new MadeUpRun();
      const first = run.task();
      const second = run.task({ after: [first] });
      run.runs(first, 'worker1');
      run.endWaiting(second, { kind: 'dependency_failed', message: 'no' });
      return run;
    },
  ],
});

violations('cancels', {
  'cancelled without being asked': [
    /was cancelled, and whoever asked for it was refused, or nobody did/,
    () => {
      const run = new MadeUpRun();
      const id = run.task();
      run.requestCancel(id);
      run.endWaiting(id, { kind: 'cancelled', reason: '' });
      return run;
    },
  ],
  'cancelled without a request in the tree': [
    /was cancelled without a request in the tree/,
    () => {
      const run = new MadeUpRun();
      const id = run.task();
      run.call({ operation: 'cancel', id }, { is: 'unknown', reason: 'timeout' });
      run.endWaiting(id, { kind: 'cancelled', reason: '' });
      return run;
    },
  ],
  'a request that is not there': [
    /was acknowledged, and is not there/,
    () => {
      const run = new MadeUpRun();
      const id = run.task();
      run.call({ operation: 'cancel', id }, run.done(id));
      run.runs(id, 'worker1');
      return run;
    },
  ],
  'an attempt that begins when the cancel is known': [
    /attempt 1 of task-0000000000 began when its cancel was known/,
    () => {
      const run = new MadeUpRun();
      const id = run.task();
      run.requestCancel(id);
      run.call({ operation: 'cancel', id }, run.done(id));
      run.runs(run.task(), 'worker1');
      run.runs(id, 'worker1');
      return run;
    },
  ],
  'an end that is accepted long after the cancel': [
    /ended succeeded long after its cancel was known/,
    () => {
      const run = new MadeUpRun();
      const first = run.assign(run.task(), 'worker1');
      run.starts(first, 50);
      run.requestCancel(first.id);
      run.call({ operation: 'cancel', id: first.id }, run.done(first.id));
      for (let i = 0; i < 22; i += 1) {
        run.runs(run.task(), 'worker2');
        run.beats(first, 250);
      }
      run.returns(first);
      return run;
    },
  ],
});

violations('times', {
  'a run before its delay is over': [
    /ran \d+ ms before its delay of 5000 ms was over/,
    () => {
      const run = new MadeUpRun();
      const [id = ''] = run.make([{ marker: 'd', type: 'long' }]);
      run.call(
        {
          operation: 'submit',
          key: null,
          tasks: [{ marker: 'd', type: 'long', delayMs: 5000 }],
          batch: false,
          waitMs: null,
        },
        run.yes(id),
      );
      run.runs(id, 'worker1');
      return run;
    },
  ],
  'an assignment before its time': [
    /began attempt 1 \d+ ms before its time/,
    () => {
      const run = new MadeUpRun();
      run.runs(run.task({ delayMs: 3000 }, { answer: 'unknown' }), 'worker1');
      return run;
    },
  ],
  'another attempt before the pause is over': [
    /attempt 2 of task-0000000000 ran \d+ ms before its time/,
    () => {
      const run = new MadeUpRun();
      const first = run.assign(run.task(), 'worker1');
      run.starts(first, 25);
      run.throws(first);
      run.runs(first.id, 'worker1');
      return run;
    },
  ],
  'an attempt when the deadline has passed': [
    /began attempt 1 when its deadline had passed/,
    () => {
      const run = new MadeUpRun();
      const id = run.task({ deadlineMs: 500 });
      run.pass(500);
      run.runs(id, 'worker1');
      return run;
    },
  ],
  'an attempt that is out of time too soon': [
    /was out of time in attempt 1 after \d+ of 5000 ms/,
    () => {
      const run = new MadeUpRun();
      const first = run.assign(run.task({ timeoutMs: 5000, maxAttempts: 1 }), 'worker1');
      run.starts(first, 300);
      run.line(first, 'end', 'aborted');
      run.end(first, { kind: 'timed_out' });
      return run;
    },
  ],
  'a success after the timeout': [
    /succeeded 1\d{4} ms after its timeout/,
    () => {
      const run = new MadeUpRun();
      const first = run.assign(run.task({ timeoutMs: 1000 }), 'worker1');
      run.starts(first, 25);
      run.fault('doze', ['worker1'], run.at, run.at + 15_000);
      run.pass(15_000);
      run.returns(first);
      return run;
    },
  ],
  'a handler that is not ended at its timeout': [
    /went on 5\d{3} ms after its timeout/,
    () => {
      const run = new MadeUpRun();
      const first = run.assign(run.task({ timeoutMs: 1000, maxAttempts: 1 }), 'worker1');
      run.starts(first, 1000);
      run.end(first, { kind: 'timed_out' });
      run.beats(first, 5000);
      return run;
    },
  ],
  'a task that expires too soon': [
    /expired \d+ ms before its deadline/,
    () => {
      const run = new MadeUpRun();
      run.endWaiting(run.task({ deadlineMs: 5000 }), { kind: 'expired' });
      return run;
    },
  ],
  'a success after the deadline': [
    /succeeded 1\d{4} ms after its deadline/,
    () => {
      const run = new MadeUpRun();
      run.runs(run.task({ deadlineMs: 1000 }), 'worker1', 15_000);
      return run;
    },
  ],
  'a task that outlives its deadline while masters act': [
    /ended \d+ ms after its deadline/,
    () => {
      const run = new MadeUpRun();
      const first = run.task();
      const waiting = run.task({ deadlineMs: 1000, after: [first] });
      for (let i = 0; i < 50; i += 1) {
        run.runs(run.task({ queue: 'other' }), 'worker2');
        run.pass(250);
      }
      run.endWaiting(waiting, { kind: 'expired' });
      run.runs(first, 'worker1');
      return run;
    },
  ],
});

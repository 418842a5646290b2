// Goal: the judge finds runs that should not have been: outcomes of runs that never were or were overtaken, attempts out of turn. Method: a run in which all is well, and one thing forged; the one rule has to find it.

import type { RunLine } from '../../../chaos/record.ts';
import { paths } from '../../../coordination/znode-paths.ts';
import { violations } from './judgements.ts';
import { MadeUpRun } from './made-up-run.ts';

/** One that has run, with its lines to forge. */
function withLines(forge: (lines: RunLine[], run: MadeUpRun) => void): () => MadeUpRun {
  return () => {
    const run = new MadeUpRun();
    run.runs(run.task(), 'worker1');
    const lines = run.entries.filter((entry) => entry.kind === 'run');
    const forged = lines.map((line) => ({ ...line }));
    run.entries.splice(0, run.entries.length, ...run.entries.filter((entry) => entry.kind !== 'run'), ...forged);
    forge(forged, run);
    return run;
  };
}

/** Something else is to be accepted than what ran last. */
function accepted(what: 'older run' | 'nothing' | 'no result'): () => MadeUpRun {
  return () => {
    const run = new MadeUpRun();
    run.runs(run.task(), 'worker1'); // evidence of the type
    const first = run.assign(run.task(), 'worker1');
    run.starts(first, 50);
    if (what !== 'older run') {
      const result = what === 'nothing' ? { token: '99', attempt: 1, pid: run.pidOf('worker1') } : 'done';
      run.line(first, 'end', 'returned');
      run.end(first, { kind: 'succeeded', result });
      return run;
    }
    run.line(first, 'end', 'returned');
    run.handBack(first);
    run.fault('stop', ['worker1'], run.at, run.at + 10);
    run.pass(10);
    const second = run.assign(first.id, 'worker1');
    run.starts(second, 50);
    run.line(second, 'end', 'aborted');
    run.end(second, {
      kind: 'succeeded',
      result: { token: String(first.token), attempt: 1, pid: run.pidOf('worker1') },
    });
    return run;
  };
}

violations('accepted-outcomes', {
  'a result that no run returned': [/a result that no run has returned/, accepted('nothing')],
  'a result that says nothing of its run': [/a result that no run has returned/, accepted('no result')],
  'an outcome of a run that was followed by another': [
    /had been assigned before it was recorded/,
    accepted('older run'),
  ],
  'a run that never returned': [
    /it never returned/,
    withLines((lines) => Object.assign(lines.at(-1) as RunLine, { how: 'aborted' })),
  ],
  'another worker': [
    /it took place on another worker/,
    withLines((lines, run) => {
      for (const line of lines) Object.assign(line, { pid: run.pidOf('worker2') });
    }),
  ],
  'another attempt': [
    /it was another attempt/,
    () => {
      const run = new MadeUpRun();
      const first = run.assign(run.task(), 'worker1');
      run.starts(first, 50);
      run.line(first, 'end', 'returned');
      const result = { token: String(first.token), attempt: 2, pid: run.pidOf('worker1') };
      run.end(first, { kind: 'succeeded', result });
      return run;
    },
  ],
  'an attempt that is recorded as lost': [
    /recorded as one that did not succeed/,
    () => {
      const run = new MadeUpRun();
      const first = run.assign(run.task({ maxAttempts: 1 }), 'worker1');
      run.starts(first, 50);
      run.line(first, 'end', 'returned');
      run.lose(first);
      run.tree.remove(paths.status(first.id));
      run.tree.create(paths.assignment(first.worker, first.id), '', run.epochMs);
      run.succeed(first, run.pidOf('worker1'));
      return run;
    },
  ],
  'a failure that never ran': [
    /attempt 1 of .* failed, and never ran/,
    () => {
      const run = new MadeUpRun();
      run.runs(run.task(), 'worker1');
      const error = { code: 'handler_error', message: 'not yet' } as const;
      const failing = run.assign(run.task({ maxAttempts: 1 }), 'worker1');
      run.end(failing, { kind: 'failed', error, retryable: true, retryAfterMs: null });
      return run;
    },
  ],
  'a failure of a run that returned': [
    /it returned, and is recorded as failed/,
    () => {
      const run = new MadeUpRun();
      const failing = run.assign(run.task({ maxAttempts: 1 }), 'worker1');
      run.starts(failing, 25);
      run.throws(failing);
      Object.assign(run.entries.at(-1) ?? {}, { how: 'returned' });
      return run;
    },
  ],
});

violations('attempts', {
  'an assignment that is run twice': [
    /began 2 times/,
    withLines((lines, run) => run.entries.push({ ...(lines[0] as RunLine), at: run.at - 30 })),
  ],
  'more attempts than there may be': [
    /is more than the 3 that it may have/,
    () => {
      const run = new MadeUpRun();
      const id = run.task();
      for (let attempt = 1; attempt <= 3; attempt += 1) run.lose(run.assign(id, 'worker1'));
      run.tree.remove(paths.status(id));
      run.runs(id, 'worker1');
      return run;
    },
  ],
  'a number out of turn': [
    /follows one that was never recorded/,
    () => {
      const run = new MadeUpRun();
      const second = { ...run.assign(run.task(), 'worker1'), attempt: 2 };
      run.starts(second, 25);
      run.returns(second);
      return run;
    },
  ],
  'an attempt after the last one': [
    /follows one that was the last/,
    () => {
      const run = new MadeUpRun();
      const first = run.assign(run.task(), 'worker1');
      run.end(first, {
        kind: 'failed',
        error: { code: 'exit_code', message: '' },
        retryable: false,
        retryAfterMs: null,
      });
      run.tree.remove(paths.status(first.id));
      run.runs(first.id, 'worker1');
      return run;
    },
  ],
  'a run from before the task': [
    /was assigned before there was the task/,
    () => {
      const run = new MadeUpRun();
      const early = { ...run.assign(run.task(), 'worker1'), token: 2n };
      run.starts(early, 25);
      run.returns(early);
      return run;
    },
  ],
  'a run after the end': [
    /was assigned after the end of the task/,
    () => {
      const run = new MadeUpRun();
      const id = run.task();
      run.runs(id, 'worker1');
      run.fault('stop', ['worker1'], run.at, run.at + 10);
      run.pass(10);
      const again = { ...run.assign(id, 'worker2'), attempt: 1 };
      run.starts(again, 25);
      run.handBack(again);
      return run;
    },
  ],
  'an attempt that is run twice, without a stop': [
    /was run twice, and no worker had been told to stop/,
    () => {
      const run = new MadeUpRun();
      const first = run.assign(run.task(), 'worker1');
      run.starts(first, 25);
      run.line(first, 'end', 'aborted');
      run.handBack(first);
      run.pass(10);
      run.runs(first.id, 'worker2');
      return run;
    },
  ],
  'a stop that comes too late to be the reason': [
    /was run twice, and no worker had been told to stop/,
    () => {
      const run = new MadeUpRun();
      const first = run.assign(run.task(), 'worker1');
      run.starts(first, 25);
      run.line(first, 'end', 'aborted');
      run.handBack(first);
      run.pass(10);
      run.runs(first.id, 'worker2', 500);
      run.kill('worker1', 100, 'stop');
      return run;
    },
  ],
});

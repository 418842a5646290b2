// Goal: the judge finds what was promised and not kept: lost tasks, ends that change, streams out of order. Method: a run in which all is well, and one
// thing forged; the one rule has to find it.

import { paths } from '../../../coordination/znode-paths.ts';
import { violations } from './judgements.ts';
import { MadeUpRun, oneEnded, refused, unknown } from './made-up-run.ts';

violations('acknowledged-tasks', {
  'a task that is gone': [
    /was acknowledged, and is gone/,
    () => {
      const { run, id } = oneEnded();
      run.delete(id);
      return run;
    },
  ],
  'a delete that was refused does not excuse that it is gone': [
    /was acknowledged, and is gone/,
    () => {
      const { run, id } = oneEnded();
      run.call({ operation: 'delete', id }, refused('task-not-final'));
      run.delete(id);
      return run;
    },
  ],
  'a task without an end': [
    /has come to no final state/,
    () => {
      const run = new MadeUpRun();
      run.task();
      return run;
    },
  ],
  'a task that nobody knows of, without an end': [
    /has come to no final state/,
    () => {
      const run = new MadeUpRun();
      run.task({}, { answer: 'unknown' });
      return run;
    },
  ],
  'a task that has been let go by a retry, and does not go on': [
    /has come to no final state/,
    () => {
      const run = new MadeUpRun();
      const first = run.task({ maxAttempts: 1 });
      run.task({ after: [first], afterFailure: 'wait' });
      const failing = run.assign(first, 'worker1');
      run.starts(failing, 25);
      run.throws(failing);
      const [again = ''] = run.make([{ marker: 'm1', type: 'long', retryOf: first }]);
      run.call({ operation: 'retry', id: first, key: null }, run.yes(again));
      run.runs(again, 'worker1');
      return run;
    },
  ],
  'a status that nobody writes': [
    /a status that none of our processes writes/,
    () => {
      const run = new MadeUpRun();
      const id = run.task();
      run.tree.begin();
      run.tree.create(paths.status(id), 'done', run.epochMs);
      return run;
    },
  ],
  'a task that was deleted and is there': [
    /was deleted and is there/,
    () => {
      const { run, id } = oneEnded();
      run.call({ operation: 'delete', id }, { is: 'yes', tasks: [] });
      return run;
    },
  ],
  'a task that is said not to exist': [
    /was told that there is none/,
    () => {
      const { run, id } = oneEnded();
      run.call({ operation: 'get', id, waitMs: null }, refused('task-not-found'));
      return run;
    },
  ],
});

violations('final-states', {
  'an end that is seen in two ways': [
    /was seen in two ways/,
    () => {
      const { run, id } = oneEnded();
      run.delete(id);
      run.call({ operation: 'delete', id }, unknown);
      const seen = { id, state: 'failed', attempt: 1, worker: 'worker1', errorCode: 'timeout', finishedAt: null };
      run.call({ operation: 'get', id, waitMs: null }, { is: 'yes', tasks: [seen] });
      return run;
    },
  ],
  'an end that is not the one in the tree, as a wait showed it': [
    /is not the one in the tree/,
    () => {
      const { run, id } = oneEnded();
      const seen = { ...run.seen(id), finishedAt: new Date(run.epochMs + 1).toISOString() };
      run.call({ operation: 'get', id, waitMs: 500 }, { is: 'yes', tasks: [seen] });
      return run;
    },
  ],
  'an end of a task that has none': [
    /is not the one in the tree/,
    () => {
      const run = new MadeUpRun();
      const first = run.task({ maxAttempts: 1 });
      const waiting = run.task({ after: [first], afterFailure: 'wait' });
      const failing = run.assign(first, 'worker1');
      run.starts(failing, 25);
      run.throws(failing);
      const seen = { ...run.seen(waiting), state: 'cancelled', errorCode: 'cancelled' };
      run.call({ operation: 'get', id: waiting, waitMs: null }, { is: 'yes', tasks: [seen] });
      return run;
    },
  ],
  'a gateway that shows an older state than before': [
    /showed the end of .*, and then running/,
    () => {
      const { run, id } = oneEnded();
      const seen = { ...run.seen(id), state: 'running', finishedAt: null };
      run.pass(10);
      run.call({ operation: 'get', id, waitMs: null }, { is: 'yes', tasks: [seen] });
      return run;
    },
  ],
});

violations('streams', {
  'something after the end': [
    /succeeded in attempt 1, and then succeeded/,
    () => {
      const { run, id } = oneEnded();
      run.watched(id, run.seen(id), run.seen(id));
      return run;
    },
  ],
  'attempts that become fewer': [
    /running in attempt 2, and then queued in attempt 0/,
    () => {
      const { run, id } = oneEnded();
      run.watched(id, { state: 'running', attempt: 2 }, { state: 'queued', attempt: 0 });
      return run;
    },
  ],
  'a task that waits for its time again, without an attempt': [
    /queued in attempt 0, and then scheduled in attempt 0/,
    () => {
      const { run, id } = oneEnded();
      run.watched(id, { state: 'queued', attempt: 0 }, { state: 'scheduled', attempt: 0 });
      return run;
    },
  ],
  'another task': [
    /shows task-0000000001/,
    () => {
      const { run, id } = oneEnded();
      const other = run.task();
      run.runs(other, 'worker1');
      run.watched(id, run.seen(other));
      return run;
    },
  ],
});

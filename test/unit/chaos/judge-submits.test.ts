// Goal: the judge finds submits and retries that made something else than they were asked for, or more than once. Method: a run in which all is well, and one
// thing forged; the one rule has to find it.

import { wrongRefusal } from '../../../chaos/record.ts';
import type { TaskId } from '../../../domain/task.ts';
import { violations } from './judgements.ts';
import { MadeUpRun, oneEnded, refused, submitOf, unknown } from './made-up-run.ts';

const spec = { marker: 'a', type: 'long' };

violations('answers', {
  'fewer tasks than were submitted': [
    /a submit of 2 tasks was answered with 1/,
    () => {
      const run = new MadeUpRun();
      const specs = [
        { marker: 'a', type: 'long' },
        { marker: 'b', type: 'long' },
      ];
      const ids = run.make(specs);
      for (const id of ids) run.runs(id, 'worker1');
      run.call(submitOf(specs), run.yes(ids[0] as TaskId));
      return run;
    },
  ],
  'one task for two': [
    /answered with one task twice/,
    () => {
      const run = new MadeUpRun();
      const specs = [spec, { marker: 'b', type: 'long' }];
      const [id = '', other = ''] = run.make(specs);
      for (const each of [id, other]) run.runs(each, 'worker1');
      run.call(submitOf(specs), run.yes(id, id));
      return run;
    },
  ],
  'one task for two submits, which have made one each': [
    /is not what was asked for: its marker is a/,
    () => {
      const run = new MadeUpRun();
      const other = { marker: 'b', type: 'long' };
      const [id = '', second = ''] = [run.make([spec])[0], run.make([other])[0]];
      for (const each of [id, second]) run.runs(each, 'worker1');
      run.call(submitOf([spec]), run.yes(id));
      run.call(submitOf([other]), run.yes(id));
      return run;
    },
  ],
  'a repetition of a submit without a key': [
    /without a key was answered as repeated/,
    () => {
      const run = new MadeUpRun();
      const [id = ''] = run.make([{ marker: 'a', type: 'long' }]);
      run.runs(id, 'worker1');
      run.call(submitOf([{ marker: 'a', type: 'long' }]), run.repeated(id));
      return run;
    },
  ],
  'another priority than was asked for': [
    /its priority is 0/,
    () => {
      const run = new MadeUpRun();
      const [id = ''] = run.make([{ marker: 'a', type: 'long' }]);
      run.runs(id, 'worker1');
      run.call(submitOf([{ marker: 'a', type: 'long', priority: 3 }]), run.yes(id));
      return run;
    },
  ],
  'a place in no order': [
    /it comes after nothing/,
    () => {
      const { run, id } = oneEnded();
      const [other = ''] = run.make([{ marker: 'a', type: 'long' }]);
      run.runs(other, 'worker1');
      run.call(submitOf([{ marker: 'a', type: 'long', after: [id] }]), run.yes(other));
      return run;
    },
  ],
});

violations('refusals', {
  'a reason that no call deserves': [
    /was refused: wrong: internal-error/,
    () => {
      const { run, id } = oneEnded();
      run.call({ operation: 'get', id, waitMs: null }, refused(`${wrongRefusal}internal-error`));
      return run;
    },
  ],
});

violations('submits', {
  'an unknown submit that made two tasks': [
    /2 tasks were made of a/,
    () => {
      const run = new MadeUpRun();
      for (const [id] of [run.make([spec]), run.make([spec])]) run.runs(id as TaskId, 'worker1');
      run.call(submitOf([spec]), unknown);
      return run;
    },
  ],
  'a refused submit that made a task': [
    /was refused, and there is a task of it/,
    () => {
      const run = new MadeUpRun();
      run.runs(run.make([spec])[0] as TaskId, 'worker1');
      run.call(submitOf([spec]), refused('queue-full'));
      return run;
    },
  ],
  'a key that is answered with two tasks': [
    /key k was answered with different tasks/,
    () => {
      const run = new MadeUpRun();
      const other = { marker: 'b', type: 'long' };
      const [first, second] = [run.make([spec])[0] as TaskId, run.make([other])[0] as TaskId];
      for (const id of [first, second]) run.runs(id, 'worker1');
      run.call(submitOf([spec], 'k'), run.yes(first));
      run.call(submitOf([other], 'k'), run.repeated(second));
      return run;
    },
  ],
  'a key that is new twice': [
    /said to be new 2 times/,
    () => {
      const run = new MadeUpRun();
      const [id = ''] = run.submit([spec], { key: 'k' });
      run.runs(id, 'worker1');
      run.call(submitOf([spec], 'k'), run.yes(id));
      return run;
    },
  ],
  'half a batch': [
    /of a batch of 2 tasks only 1 are there/,
    () => {
      const run = new MadeUpRun();
      run.runs(run.make([spec])[0] as TaskId, 'worker1');
      run.call(submitOf([spec, { marker: 'b', type: 'long' }]), unknown);
      return run;
    },
  ],
  'a batch in two transactions': [
    /made in several transactions/,
    () => {
      const run = new MadeUpRun();
      const other = { marker: 'b', type: 'long' };
      for (const [id] of [run.make([spec]), run.make([other])]) run.runs(id as TaskId, 'worker1');
      run.call(submitOf([spec, other]), unknown);
      return run;
    },
  ],
});

function failed(): { run: MadeUpRun; id: TaskId } {
  const run = new MadeUpRun();
  const id = run.task({ ...spec, maxAttempts: 1 });
  const failing = run.assign(id, 'worker1');
  run.starts(failing, 25);
  run.throws(failing);
  return { run, id };
}

function retried(run: MadeUpRun, id: TaskId, marker = 'a'): TaskId {
  const again = run.make([{ ...spec, marker, retryOf: id }])[0] as TaskId;
  run.runs(again, 'worker1');
  return again;
}

violations('retries', {
  'a retry of a task that had succeeded': [
    /which was succeeded/,
    () => {
      const run = new MadeUpRun();
      const id = run.task(spec);
      run.runs(id, 'worker1');
      run.call({ operation: 'retry', id, key: null }, run.yes(retried(run, id)));
      return run;
    },
  ],
  'a retry before the end': [
    /which was unfinished/,
    () => {
      const run = new MadeUpRun();
      const id = run.task({ ...spec, maxAttempts: 1 });
      run.call({ operation: 'retry', id, key: null }, run.yes(retried(run, id)));
      const failing = run.assign(id, 'worker1');
      run.starts(failing, 25);
      run.throws(failing);
      return run;
    },
  ],
  'two retries where one is unknown': [
    /2 tasks run .* again, of which 1/,
    () => {
      const { run, id } = failed();
      retried(run, id);
      retried(run, id);
      run.call({ operation: 'retry', id, key: null }, unknown);
      return run;
    },
  ],
  'two retries with one key, both unknown': [
    /2 tasks run .* again, of which 1/,
    () => {
      const { run, id } = failed();
      retried(run, id);
      retried(run, id);
      for (const _ of [1, 2]) run.call({ operation: 'retry', id, key: 'r' }, unknown);
      return run;
    },
  ],
  'a refused retry': [
    /1 tasks run .* again, of which 0/,
    () => {
      const { run, id } = failed();
      retried(run, id);
      run.call({ operation: 'retry', id, key: null }, refused('task-not-final'));
      return run;
    },
  ],
  'another marker': [
    /has another marker/,
    () => {
      const { run, id } = failed();
      run.call({ operation: 'retry', id, key: null }, run.yes(retried(run, id, 'b')));
      return run;
    },
  ],
  'a task that is no retry': [
    /is not a retry of/,
    () => {
      const { run, id } = failed();
      const other = run.task({ marker: 'b' });
      run.runs(other, 'worker1');
      run.call({ operation: 'retry', id, key: null }, run.yes(other));
      return run;
    },
  ],
});

// Goal: the judge finds what is wrong at the end of a run (processes that ended by themselves, leftovers, pictures), says when a record cannot be
// judged, and what it says can be read. Method: a run in which all is well, and one thing forged.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judge } from '../../../chaos/judge/judge.ts';
import { renderVerdict } from '../../../chaos/judge/render-verdict.ts';
import { outcomeOf } from '../../../chaos/judge/verdict.ts';
import type { Entry, ProcessEvent } from '../../../chaos/record.ts';
import { keyPaths } from '../../../coordination/key-paths.ts';
import { paths } from '../../../coordination/znode-paths.ts';
import { violations } from './judgements.ts';
import { MadeUpRun, oneEnded, refused, submitOf, unknown } from './made-up-run.ts';

/** It ends so, and is there again. */
function ends(id: string, ended: Pick<ProcessEvent, 'code' | 'signal'>): (run: MadeUpRun) => MadeUpRun {
  return (run) => {
    run.kill(id, 100);
    const exit = run.entries.findLast((entry) => entry.kind === 'process' && entry.event === 'exited');
    Object.assign(exit ?? {}, ended);
    return run;
  };
}

function withoutFaults(run: MadeUpRun): MadeUpRun {
  run.entries.splice(0, run.entries.length, ...run.entries.filter(({ kind }) => kind !== 'fault'));
  return run;
}

violations('exits', {
  'a crash': [
    /worker1 ended with code 1, and nobody had told it to/,
    () => withoutFaults(ends('worker1', { code: 1, signal: null })(new MadeUpRun())),
  ],
  'a crash while something else is broken': [
    /master1 ended with code 1/,
    () => {
      const run = withoutFaults(ends('master1', { code: 1, signal: null })(new MadeUpRun()));
      run.fault('cut', ['master1'], run.at - 500, run.at + 500);
      run.fault('kill', ['master2'], run.at - 10, run.at + 10);
      return run;
    },
  ],
  'a stop that ends with an error': [
    /gateway1 ended with code 1/,
    () => {
      const run = withoutFaults(ends('gateway1', { code: 1, signal: null })(new MadeUpRun()));
      run.fault('stop', ['gateway1'], run.at - 10, run.at + 10);
      return run;
    },
  ],
  'a stop that is not heard': [
    /worker1 ended with SIGTERM/,
    () => {
      const run = new MadeUpRun();
      run.pass(6000);
      ends('worker1', { code: null, signal: 'SIGTERM' })(run);
      withoutFaults(run).fault('stop', ['worker1'], run.at - 10, run.at + 10);
      return run;
    },
  ],
  'an end without a fault, with code 0': [
    /worker1 ended with code 0/,
    () => withoutFaults(ends('worker1', { code: 0, signal: null })(new MadeUpRun())),
  ],
  'a fault of a former life': [
    /worker1 ended with SIGKILL/,
    () => {
      const run = new MadeUpRun();
      run.kill('worker1', 100);
      run.pass(1000);
      const { at } = run;
      run.kill('worker1', 100);
      const isSecond = (entry: Entry) => entry.kind === 'fault' && entry.from === at;
      run.entries.splice(0, run.entries.length, ...run.entries.filter((entry) => !isSecond(entry)));
      return run;
    },
  ],
});

violations('final-tree', {
  'an assignment that is left': [
    /\/assign\/worker1\/task-0000000000 is still there \(quiet-assignment\)/,
    () => {
      const { run, id } = oneEnded();
      run.tree.create(paths.assignment('worker1' as never, id), '', run.epochMs);
      return run;
    },
  ],
  'a master that nobody is': [
    /\/master is not that of a master of ours \(quiet-leader\)/,
    () => {
      const { run } = oneEnded();
      run.tree.remove(paths.master);
      return run;
    },
  ],
  'a status that was written twice': [
    /was set 1 times after its creation \(status-changed\)/,
    () => {
      const { run, id } = oneEnded();
      const path = paths.status(id);
      run.tree.set(path, run.tree.data(path));
      return run;
    },
  ],
  'a count that stays wrong': [
    /\/backlog says 1 unfinished, and 0 are \(quiet-backlog\)/,
    () => {
      const { run, id } = oneEnded();
      run.tree.create(paths.backlog, '{"v":1,"unfinished":1}', run.epochMs);
      run.pass(3000);
      run.see(id);
      return run;
    },
  ],
  'a key without its task': [
    /outlived its task/,
    () => {
      const { run } = oneEnded();
      const [id = ''] = run.submit([{ marker: 'k', type: 'long' }], { key: 'k' });
      run.runs(id, 'worker1');
      run.delete(id);
      run.call({ operation: 'delete', id }, { is: 'yes', tasks: [] });
      const { bucket, path } = keyPaths('k');
      assert.ok(run.tree.snapshot.has(bucket));
      run.tree.create(path, '{}', run.epochMs);
      return run;
    },
  ],
});

/** What is left over of each fault of a run, at least. */
const faults = 20;

/** One more of a kind from each fault. */
function leftOver(kind: string, more = faults): [RegExp, () => MadeUpRun] {
  return [
    new RegExp(`worker1 holds ${more} ${kind} more than before the run`),
    () => {
      const { run } = oneEnded();
      for (let n = 0; n < faults; n += 1) run.fault('cut', ['worker1'], run.at + 10 * n, run.at + 10 * n + 5);
      const baseline = {
        watches: 2,
        'status watches': 0,
        timers: 5,
        threads: 11,
        files: 2,
        sockets: 4,
        pipes: 9,
        links: 1,
      };
      const end = { ...baseline, [kind]: ((baseline as Record<string, number>)[kind] as number) + more };
      run.entries.push({ kind: 'leftover', id: 'worker1', baseline, end });
      return run;
    },
  ];
}

const kinds = ['watches', 'timers', 'threads', 'files', 'sockets', 'pipes', 'links'];
violations('leftovers', {
  ...Object.fromEntries(kinds.map((kind) => [`${kind}, one of each fault`, leftOver(kind)])),
  'status watches, more than waits that just missed an end': leftOver('status watches', 60),
});

test('idle handler threads hold what they need', () => {
  const { run } = oneEnded();
  const baseline = { watches: 2, timers: 5, threads: 11, pipes: 9 };
  run.entries.push({
    kind: 'leftover',
    id: 'worker1',
    baseline,
    end: { watches: 2, timers: 5, threads: 26, pipes: 39 },
  });
  assert.deepEqual(run.judged().violations, []);
});

violations('pictures', {
  'a picture that differs': [
    /the picture of master2 differs from the tree in 2 places: task-1 is there/,
    () => {
      const { run } = oneEnded();
      run.entries.push({ kind: 'picture', id: 'master2', differences: ['task-1 is there', 'task-2 is not'] });
      return run;
    },
  ],
});

/** What is wrong with the test itself. */
const broken: Readonly<Record<string, readonly [RegExp, (run: MadeUpRun) => Entry[]]>> = {
  'no beginning': [/says 0 times that it began/, (run) => run.entries.filter(({ kind }) => kind !== 'began')],
  'a clock that was set': [
    /the wall clock was set, or drifted, by -5000 ms/,
    ({ entries }) =>
      entries.map((entry) => (entry.kind === 'began' ? { ...entry, epochMs: entry.epochMs + 5000 } : entry)),
  ],
  'a run that lasts so long that tasks go by themselves': [
    /tasks may go by themselves/,
    (run) => {
      run.pass(3_600_000);
      return run.entries;
    },
  ],
  'a fault without an end': [
    /fault 1, cut, was never over/,
    (run) => {
      run.fault('cut', ['worker1'], run.at, run.at + 1);
      run.entries.pop();
      return run.entries;
    },
  ],
  'two faults of one number': [
    /the lines of fault 1 do not fit together/,
    (run) => {
      run.fault('cut', ['worker1'], run.at, run.at + 1);
      run.fault('slow', ['worker1'], run.at, run.at + 1);
      return run.entries.map((entry) => (entry.kind === 'fault' ? { ...entry, n: 1 } : entry));
    },
  ],
  'a process that never started': [
    /worker3 with pid 7 ended, and never started/,
    ({ entries }) => [...entries, { ...exitOf('worker3'), pid: 7 }],
  ],
  'a process that was not started again': [
    /worker3 was not running at the end/,
    (run) => {
      run.kill('worker3', 100);
      run.entries.pop();
      return run.entries;
    },
  ],
  'a run of nobody': [
    /which is no known worker/,
    ({ entries }) => entries.map((entry) => (entry.kind === 'run' ? { ...entry, pid: 7 } : entry)),
  ],
  'a run without its start': [
    /does not begin with its start/,
    ({ entries }) => entries.filter((entry) => entry.kind !== 'run' || entry.line !== 'start'),
  ],
  'a token that is none': [
    /has the token x/,
    ({ entries }) => entries.map((entry) => (entry.kind === 'run' ? { ...entry, token: 'x' } : entry)),
  ],
  'a task that nobody asked for': [
    /the record knows nobody who made task-0000000000/,
    ({ entries }) => entries.filter((entry) => entry.kind !== 'call'),
  ],
  'a run of a task that nobody made': [
    /nobody has made task-0000000009, which ran/,
    ({ entries }) => entries.map((entry) => (entry.kind === 'run' ? { ...entry, task: 'task-0000000009' } : entry)),
  ],
  'a submit that is repeated without its key': [
    /marker a was submitted 2 times without one key/,
    (run) => {
      for (const _ of [1, 2]) run.call(submitOf([{ marker: 'a', type: 'long' }]), unknown);
      return run.entries;
    },
  ],
  'a call that ends before it begins': [
    /a call ended before it began/,
    (run) => {
      run.call({ operation: 'get', id: 'task-0000000000', waitMs: null }, refused('no-leader'), { tookMs: -5 });
      return run.entries;
    },
  ],
  'an ensemble that has forgotten a task and gives its name again': [
    /the ensemble forgot what it had committed: task-0000000000 was made for gone, and again for m1/,
    (run) => {
      run.call(submitOf([{ marker: 'gone', type: 'long' }]), run.yes('task-0000000000'), { tookMs: 500 });
      return run.entries;
    },
  ],
  'a violation beside a ZooKeeper that broke down in itself': [
    /zookeeper2 had a null in org\.apache\.zookeeper\.server\.quorum\.SendAckRequestProcessor\.flush/,
    (run) => {
      run.call({ operation: 'get', id: 'task-0000000000', waitMs: null }, refused('task-not-found'));
      return [...run.entries, ensembleBug];
    },
  ],
  'a tree of which something was not read': [
    /was not read/,
    (run) => {
      run.tree.forge(paths.tasks, { numChildren: 2 });
      run.tree.forget(paths.status('task-0000000000' as never));
      return run.entries;
    },
  ],
};

const ensembleBug = {
  ...{ kind: 'ensemble-bug' as const, id: 'zookeeper2' },
  where: 'org.apache.zookeeper.server.quorum.SendAckRequestProcessor.flush',
};

test('a ZooKeeper that broke down in itself, and lost nothing', () => {
  const { run } = oneEnded();
  run.entries.push(ensembleBug);
  assert.equal(outcomeOf(run.judged()), 'kept');
});

function exitOf(id: string): ProcessEvent {
  return { kind: 'process', role: 'worker', id, pid: 1, event: 'exited', at: 1000, code: 0, signal: null };
}

for (const [title, [sentence, forge]] of Object.entries(broken)) {
  test(`a record that cannot be judged: ${title}`, () => {
    const { run } = oneEnded();
    const entries = forge(run);
    run.pass(10);
    const verdict = judge([...entries, { kind: 'ended', at: run.at, epochMs: run.epochMs }], run.tree.snapshot);
    assert.equal(outcomeOf(verdict), 'undecided');
    assert.match(verdict.assumptions.join('\n'), sentence);
    assert.match(renderVerdict(verdict), /^This run cannot be judged: .*\n {2}assumption: /);
  });
}

test('a record that is cut off says nothing of the system', () => {
  const { run } = oneEnded();
  const verdict = judge(run.entries, run.tree.snapshot);
  assert.deepEqual(verdict.assumptions, ['the record is cut off: it says 0 times that it ended']);
});

test('a verdict can be read: a headline, what was violated with the lines that show it, and what was exercised', () => {
  const { run, id } = oneEnded();
  assert.match(renderVerdict(run.judged()), /^All promises were kept\.\nexercised:\n[\s\S]* 1 {2}runs\n/);
  for (let i = 0; i < 5; i += 1) {
    run.call({ operation: 'get', id, waitMs: null }, refused('task-not-found'));
  }
  const text = renderVerdict(run.judged());
  assert.match(text, /^Promises were violated, 5 times\.\nacknowledged-tasks: 5\n/);
  assert.match(text, /\n {2}and 2 more\n/);
  assert.match(text, /\n {6}\{"kind":"call"/);
});

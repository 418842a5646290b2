// Goal: whatever legal things happen in whatever order, the judge finds nothing; and whatever single thing is then forged, it finds something. Method:
// random lives of a scheduler that keeps all promises, and a table of forgeries of the record and the tree.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { outcomeOf } from '../../../chaos/judge/verdict.ts';
import type { Entry } from '../../../chaos/record.ts';
import { parseTaskPath } from '../../../coordination/znode-paths.ts';
import type { MadeUpRun } from './made-up-run.ts';
import { type Draw, RandomRun } from './random-run.ts';

const steps = fc.integer({ min: 20, max: 80 });

function drawOf(numbers: fc.Stream<number>): Draw {
  return (below) => (numbers.next().value ?? 0) % below;
}

test('a legal run is clean, and what happened in it was looked at', () => {
  const exercised = new Map<string, number>();
  fc.assert(
    fc.property(steps, fc.infiniteStream(fc.nat(1_000_000)), (count, numbers) => {
      const verdict = new RandomRun(drawOf(numbers)).live(count).judged();
      assert.deepEqual([verdict.assumptions, verdict.violations], [[], []]);
      for (const [what, times] of Object.entries(verdict.exercised))
        exercised.set(what, (exercised.get(what) ?? 0) + times);
    }),
    { numRuns: 60 },
  );
  const wanted = [
    'overlapping runs of a task, one frozen',
    'runs handed back',
    'exclusive pairs compared',
    'priorities compared',
  ];
  for (const what of [...wanted, 'retries unknown', 'tasks deleted', 'tasks cancelled', 'keys repeated']) {
    assert.ok((exercised.get(what) ?? 0) > 0, `${what}: ${exercised.get(what)}`);
  }
});

/** Forges one thing; false where there is nothing of the kind. */
type Forgery = (run: MadeUpRun, draw: Draw) => boolean;

function one<T>(all: readonly T[], draw: Draw): T | undefined {
  return all[draw(Math.max(1, all.length))];
}

function tasksOf(run: MadeUpRun): string[] {
  return [...run.tree.snapshot.keys()].filter((path) => parseTaskPath(path)?.kind === 'task');
}

function replace(run: MadeUpRun, entry: Entry, ...others: Entry[]): true {
  run.entries.splice(run.entries.indexOf(entry), 1, ...others);
  return true;
}

const forgeries: Readonly<Record<string, Forgery>> = {
  'a task is lost': (run, draw) => {
    const acknowledged = run.entries.flatMap((entry) =>
      entry.kind === 'call' && entry.outcome.is === 'yes' && entry.request.operation === 'submit'
        ? entry.outcome.tasks
        : [],
    );
    const path = one(
      tasksOf(run).filter((each) => acknowledged.some(({ id }) => each.endsWith(id))),
      draw,
    );
    if (!path) return false;
    run.tree.remove(path);
    return true;
  },
  'a status is lost': (run, draw) => {
    const path = one(tasksOf(run), draw);
    if (!path) return false;
    run.tree.remove(`${path}/status`);
    return true;
  },
  'a task is there twice': (run, draw) => {
    const path = one(tasksOf(run), draw);
    if (!path) return false;
    run.tree.begin();
    run.tree.create('/tasks/task-0000009999', run.tree.data(path), run.epochMs);
    run.tree.create('/tasks/task-0000009999/status', run.tree.data(`${path}/status`), run.epochMs);
    return true;
  },
  'an end is seen otherwise': (run, draw) => {
    const sightings = run.entries.filter((entry) => entry.kind === 'call' && entry.request.operation === 'get');
    const call = one(
      sightings.filter(
        (entry) => entry.kind === 'call' && entry.outcome.is === 'yes' && entry.outcome.tasks[0]?.finishedAt,
      ),
      draw,
    );
    if (call?.kind !== 'call' || call.outcome.is !== 'yes') return false;
    const tasks = call.outcome.tasks.map((task) => ({ ...task, worker: 'worker9' }));
    return replace(run, call, call, { ...call, outcome: { ...call.outcome, tasks } });
  },
  'an assignment is run twice': (run, draw) => {
    const start = one(
      run.entries.filter((entry) => entry.kind === 'run' && entry.line === 'start'),
      draw,
    );
    return start?.kind === 'run' && replace(run, start, start, { ...start, at: start.at + 1 });
  },
  'a run that was accepted never was': (run, draw) => {
    const end = one(
      run.entries.filter((entry) => entry.kind === 'run' && entry.how === 'returned'),
      draw,
    );
    if (end?.kind !== 'run' || !run.tree.snapshot.has(`/tasks/${end.task}`)) return false;
    run.entries.splice(
      0,
      run.entries.length,
      ...run.entries.filter((entry) => entry.kind !== 'run' || entry.task !== end.task || entry.token !== end.token),
    );
    return run.entries.some((entry) => entry.kind === 'run');
  },
  'a process ends by itself': (run, draw) => {
    const exit = one(
      run.entries.filter((entry) => entry.kind === 'process' && entry.event === 'exited'),
      draw,
    );
    return exit?.kind === 'process' && replace(run, exit, { ...exit, code: 70, signal: null });
  },
  'a run goes on when its task is final': (run, draw) => {
    const end = one(
      run.entries.filter((entry) => entry.kind === 'run' && entry.line === 'end'),
      draw,
    );
    if (end?.kind !== 'run' || !run.tree.snapshot.has(`/tasks/${end.task}`)) return false;
    const later = { ...end, line: 'start' as const, token: String(run.tree.begin()), at: run.at };
    const { how: _, ...start } = later;
    run.entries.push(start);
    return true;
  },
};

for (const [name, forge] of Object.entries(forgeries)) {
  test(`one thing forged in a legal run is found: ${name}`, () => {
    let found = 0;
    fc.assert(
      fc.property(steps, fc.infiniteStream(fc.nat(1_000_000)), (count, numbers) => {
        const draw = drawOf(numbers);
        const run = new RandomRun(draw).live(count);
        if (!forge(run, draw)) return;
        const verdict = run.judged();
        assert.deepEqual([outcomeOf(verdict), verdict.assumptions], ['violated', []]);
        found += 1;
      }),
      { numRuns: 40 },
    );
    assert.ok(found > 0, 'no run had what it forges');
  });
}

// No two hold the same lease in earnest. The next run of a task may begin while the one before still acts only where that one's worker stood still then,
// for so long that it may have lost its session, and it may go on only for the moment that its worker takes to notice; or where the master took
// the task by force from a handler that heeds no signal. The later one has the greater token always: one with a smaller token that comes
// later is such an overlap, too. Commands of a worker that was killed die with it. Pure.

import { allowances } from '../allowances.ts';
import type { Finding, History, Rule } from '../history.ts';
import { excuseFor } from '../overlap-excuses.ts';
import { overlaps } from '../overlaps.ts';
import { linesOf } from '../runs.ts';
import type { Tally } from '../verdict.ts';

export const overlappingRuns: Rule = {
  name: 'overlapping-runs',
  *check(history, tally) {
    for (const task of new Set(history.runs.map((run) => run.task))) {
      const runs = history.runsOf(task);
      if (runs.length > 1) tally.add('tasks that ran more than once');
      for (const { older, newer } of overlaps(runs)) {
        const excuse = excuseFor(history, older, newer);
        tally.add(excuse ? `overlapping runs of a task, one ${excuse}` : 'overlapping runs of a task');
        if (excuse) continue;
        const ms = Math.round(older.lastAt - newer.startAt);
        const what = `run ${older.token} of ${task} still went on ${ms} ms after run ${newer.token} had begun`;
        yield { what, evidence: [...linesOf(older), ...linesOf(newer)] };
      }
    }
    yield* outlivedWorkers(history, tally);
  },
};

function* outlivedWorkers({ runs }: History, tally: Tally): Generator<Finding> {
  for (const run of runs) {
    const exit = run.life?.exit;
    if (!exit) continue;
    const ms = Math.round(run.lastAt - exit.at);
    if (run.end === null && ms > -allowances.stallMs && ms <= allowances.commandsDeadMs)
      tally.add('runs that died with their worker');
    if (ms <= allowances.commandsDeadMs) continue;
    const what = `run ${run.token} of ${run.task} went on ${ms} ms after its worker had ended`;
    yield { what, evidence: [JSON.stringify(exit), ...linesOf(run)] };
  }
}

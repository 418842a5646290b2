// No two hold the same lease in earnest: two runs of one task go on at the same time only where the worker of the earlier one could not know
// that it had lost it, since it was frozen; the later one has the greater token then. Commands of a worker that was killed die with it. Pure.

import { allowances } from '../allowances.ts';
import type { Finding, History, Rule } from '../history.ts';
import { overlaps } from '../overlaps.ts';
import { excuseFor } from '../pauses.ts';
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

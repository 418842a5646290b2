// What a stream shows of a task, one after the other, can have happened in that order: each state follows from the one before by events
// of docs/task-life.md, attempts do not become fewer, and nothing comes after the end. A stream may leave out what went by too fast. Pure.

import type { TaskState } from '../../../domain/task.ts';
import { type LifeEvent, transitions } from '../../../domain/task-transitions.ts';
import type { SeenTask } from '../../record.ts';
import { isFinal } from '../final-state.ts';
import { type Finding, type History, line, type Rule } from '../history.ts';
import { isOf } from '../requests.ts';

export const streams: Rule = {
  name: 'streams',
  *check(history, tally) {
    // A gateway that begins a new session may read from a server that is behind the last one; a stream may go on at another gateway.
    const calm = history.faults.calmOf(history.processes.idsOf('gateway'));
    for (const call of history.calls) {
      if (!isOf(call, 'watch') || call.outcome.is !== 'yes') continue;
      const { tasks } = call.outcome;
      tally.add('streams');
      tally.add('steps in streams', tasks.length);
      const fault = faultIn(tasks);
      if (fault === null) continue;
      if (calm.isCalm(call.from, call.to))
        yield { what: `a stream of ${call.request.id} shows ${fault}`, evidence: [line(call)] };
      else tally.add('streams that went back, since something was broken');
    }
    yield* streamsOfOthers(history);
  },
};

function* streamsOfOthers({ calls }: History): Generator<Finding> {
  for (const call of calls) {
    if (!isOf(call, 'watch') || call.outcome.is !== 'yes') continue;
    const { id } = call.request;
    const other = call.outcome.tasks.find((task) => task.id !== id);
    if (other) yield { what: `a stream of ${id} shows ${other.id}`, evidence: [line(call)] };
  }
}

/** Null: all that it shows can have happened. */
function faultIn(tasks: readonly SeenTask[]): string | null {
  for (const [place, task] of tasks.entries()) {
    const before = tasks[place - 1];
    if (before && !canFollow(before, task)) {
      return `${before.state} in attempt ${before.attempt}, and then ${task.state} in attempt ${task.attempt}`;
    }
  }
  return null;
}

/** How many attempts have ended; of a final task as many as it came to. */
function endedOf({ state, attempt }: SeenTask): number {
  return state === 'running' ? attempt - 1 : attempt;
}

function canFollow(before: SeenTask, after: SeenTask): boolean {
  const more = endedOf(after) - endedOf(before);
  if (isFinal(before.state) || more < 0) return false;
  if (isFinal(after.state)) return true;
  if (before.state === after.state) return true;
  return (more === 0 ? withoutEnd : withEnd).has(`${before.state} ${after.state}`);
}

const attemptEnds: ReadonlySet<LifeEvent> = new Set(['failed', 'timed_out', 'worker_lost']);
const ours = transitions.filter(({ by }) => by.some((actor) => actor !== 'by hand'));

/** `queued running`: how one state leads to another while no attempt ends. */
const withoutEnd = pathsOver(ours.filter(({ event }) => !attemptEnds.has(event)));
/** The same where one ends at least. */
const withEnd = pathsOver(ours);

type Step = { readonly from: TaskState | null; readonly to: TaskState };

function pathsOver(steps: readonly Step[]): ReadonlySet<string> {
  const reached = new Set(steps.map(({ from, to }) => `${from} ${to}`));
  for (const path of reached) {
    const [start, end] = path.split(' ');
    for (const { from, to } of steps) if (from === end) reached.add(`${start} ${to}`); // and its own paths in their turn
  }
  return reached;
}

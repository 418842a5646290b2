// A task ends once: whoever saw it final saw the same end, and so does the tree. A gateway that has shown an end shows nothing older
// afterwards; another one, or one that has had to begin a new session, may, since what it reads may be old. Pure.

import type { Call, SeenTask } from '../../record.ts';
import { isFinal } from '../final-state.ts';
import { type Finding, type History, line, type Rule } from '../history.ts';
import { taskLines } from '../tasks.ts';

export const finalStates: Rule = {
  name: 'final-states',
  *check(history, tally) {
    const ends = new Map<string, End>();
    const calms = new Map(history.processes.idsOf('gateway').map((id) => [id, history.faults.calmOf([id])]));
    for (const sighting of sightings(history)) {
      const { call, seen } = sighting;
      if (isFinal(seen.state)) {
        tally.add('final states seen');
        yield* sameEnd(history, ends, sighting);
      } else if (wentBack(ends.get(seen.id), call)) {
        const shown = ends.get(seen.id)?.shownBy.get(call.gateway) as Call;
        if (!calms.get(call.gateway)?.isCalm(shown.to, call.to))
          tally.add('looks that went back, since something was broken');
        else
          yield {
            what: `${call.gateway} showed the end of ${seen.id}, and then ${seen.state}`,
            evidence: [line(shown), line(call)],
          };
      }
    }
    tally.add('tasks whose end was seen', ends.size);
  },
};

interface Sighting {
  readonly call: Call;
  readonly seen: SeenTask;
}

interface End {
  readonly first: Sighting;
  /** The first call of each gateway, by its end, that showed it. */
  readonly shownBy: Map<string, Call>;
}

/** By the time at which their answers came. */
function sightings({ calls }: History): Sighting[] {
  return [...calls]
    .sort((a, b) => a.to - b.to)
    .flatMap((call) => (call.outcome.is === 'yes' ? call.outcome.tasks.map((seen) => ({ call, seen })) : []));
}

function wentBack(end: End | undefined, { gateway, from }: Call): boolean {
  return (end?.shownBy.get(gateway)?.to ?? Infinity) <= from;
}

function* sameEnd({ tasks, tree }: History, ends: Map<string, End>, sighting: Sighting): Generator<Finding> {
  const { call, seen } = sighting;
  const end = ends.get(seen.id) ?? { first: sighting, shownBy: new Map<string, Call>() };
  ends.set(seen.id, end);
  if (!end.shownBy.has(call.gateway)) end.shownBy.set(call.gateway, call);
  const { first } = end;
  if (!isSameEnd(first.seen, seen)) {
    yield { what: `the end of ${seen.id} was seen in two ways`, evidence: [line(first.call), line(call)] };
  }
  const task = tasks.get(seen.id);
  if (!task) return;
  const status = task.status?.record;
  const { worker = null, attempt = 0, state = 'unfinished', error = null, finishedAt = null } = status ?? {};
  const kept = { state, attempt, worker, errorCode: error?.code ?? null };
  if (!isSameEnd(seen, { ...kept, finishedAt: finishedAt === null ? null : new Date(finishedAt).toISOString() })) {
    yield {
      what: `the end of ${seen.id} that was seen is not the one in the tree`,
      evidence: [line(call), ...taskLines(tree, seen.id)],
    };
  }
}

type Ending = Omit<SeenTask, 'id'>;

function isSameEnd(a: Ending, b: Ending): boolean {
  const isSame = a.state === b.state && a.errorCode === b.errorCode && a.attempt === b.attempt && a.worker === b.worker;
  return isSame && timeOf(a) === timeOf(b);
}

function timeOf({ finishedAt }: Ending): number {
  return finishedAt === null ? 0 : Date.parse(finishedAt);
}

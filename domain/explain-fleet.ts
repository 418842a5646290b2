// What of the whole system holds a task whose time has come: the settings of its queue, the workers, the line; asked in the
// order in which a plan asks. Pure.

import { queuedSinceOf } from './entry-state.ts';
import { type Cause, cause, counted, named, timeText } from './explanation.ts';
import type { Kind } from './free-workers.ts';
import { limits } from './limits.ts';
import { runsBefore } from './ready-line.ts';
import type { TaskBrief, TaskEntry } from './task-entry.ts';
import type { TaskIndex } from './task-index.ts';
import { surveyWorkers, typesOf, type WorkerSurvey } from './worker-survey.ts';

/** Of what workers take; more of them are not named. */
const typesShownMax = 10;

/** What most of these causes have. */
type Place = Pick<Cause, 'since' | 'position' | 'workers'>;

/** At least one. A task that is ready is about to run exactly where that is the first. */
export function fleetCauses(index: TaskIndex, entry: TaskEntry, brief: TaskBrief, now: number): Cause[] {
  const survey = surveyWorkers(index.workers.values(), brief);
  const since = queuedSinceOf(entry);
  const position = index.ready.positionOf(entry, limits.lineScanMax);
  const place = { since: since === 'unread' ? null : since, position, workers: survey.able };
  const holds = [
    queueCause(index, brief.queue, place, now),
    workersCause(index, survey, brief, place),
    unservedCause(survey, brief, place),
  ];
  const causes = holds.filter((hold) => hold !== null);
  return causes.length > 0 ? causes : [turnCause(index, entry, place)];
}

/** Of a task that waits for something else these say nothing: they come and go. */
const passing: ReadonlySet<string> = new Set(['queue_concurrency', 'queue_rate', 'workers_not_ready', 'workers_busy']);

/** Those that will hold the task even when what it waits for at first is over. */
export function lastingCauses(index: TaskIndex, entry: TaskEntry, brief: TaskBrief, now: number): Cause[] {
  const isLasting = ({ reason, limit }: Cause) =>
    (!passing.has(reason) || limit === 0) && reason !== 'behind_others' && reason !== 'about_to_run';
  return fleetCauses(index, entry, brief, now).filter(isLasting);
}

function queueCause(index: TaskIndex, queue: string, place: Place, now: number): Cause | null {
  const { concurrency, ratePerSecond } = index.queues.settingsOf(queue);
  switch (index.limitOf(queue)) {
    case null:
      return null;
    case 'paused':
      return cause(
        'queue_paused',
        `Queue ${queue} is paused: nothing of it starts until somebody lets it go on.`,
        place,
      );
    case 'concurrency': {
      if (concurrency === 0) {
        const message = `The concurrency of queue ${queue} is 0: nothing of it starts until that is raised.`;
        return cause('queue_concurrency', message, { ...place, limit: 0 });
      }
      const most = `Queue ${queue} may run ${counted(concurrency ?? 0, 'task')} at a time, and does`;
      const message = `${most}${goFirst(place)}: it starts when one of them ends, or when the limit is raised.`;
      return cause('queue_concurrency', message, { ...place, limit: concurrency });
    }
    case 'rate': {
      const until = index.queues.nextStartAt(queue, now);
      const next = until === null ? '' : `; the next one may start at ${timeText(until)}`;
      const message = `Queue ${queue} has used up its rate of ${ratePerSecond} a second${goFirst(place)}${next}.`;
      return cause('queue_rate', message, { ...place, limit: ratePerSecond, until });
    }
  }
}

function workersCause(index: TaskIndex, survey: WorkerSurvey, { queue, type }: Kind, place: Place): Cause | null {
  const { registered, ofType, draining, notReady, able, slots, freeSlots } = survey;
  if (able > 0) {
    if (freeSlots > 0) return null;
    const full = `No slot is free at the ${counted(able, 'worker')} that could take it (${slots}, all in use)`;
    const message = `${full}${goFirst(place)}: it starts when one is, or start another worker.`;
    return cause('workers_busy', message, { ...place, limit: slots });
  }
  if (registered === 0) return cause('no_workers', 'No worker is registered: start one.', place);
  const none = registered === 1 ? 'The only worker does not take' : `None of the ${registered} workers takes`;
  if (ofType === 0) {
    const types = typesOf(index.workers.values());
    const others = types.length > 0 && types.length <= typesShownMax ? ` (but ${types.join(', ')})` : '';
    const message = `${none} type ${type}${others}: start one that has a handler for it.`;
    return cause('no_worker_for_type', message, place);
  }
  if (notReady.length > 0) {
    const [first] = notReady;
    const who = named(notReady);
    const message = `Workers that would take it are not ready yet (${who}): a worker has to make /assign/${first} itself before it is given anything.`;
    return cause('workers_not_ready', message, place);
  }
  if (draining > 0) {
    const message = `All workers that take it are stopping (${draining} of ${registered}): start another one.`;
    return cause('workers_draining', message, place);
  }
  const message = `${none} type ${type} from queue ${queue}: start one that serves this queue, too.`;
  return cause('no_worker_for_queue', message, place);
}

/** Beside that no worker takes the type: none serves the queue, either. */
function unservedCause({ registered, ofType, ofQueue }: WorkerSurvey, { queue }: Kind, place: Place): Cause | null {
  if (registered === 0 || ofType > 0 || ofQueue > 0) return null;
  const none = registered === 1 ? 'The only worker does not serve' : `None of the ${registered} workers serves`;
  return cause('no_worker_for_queue', `${none} queue ${queue}, either: start one that does.`, place);
}

/** The next plan takes it if nothing in the whole line goes first; else that depends on what the others leave. */
function turnCause(index: TaskIndex, entry: TaskEntry, place: Place): Cause {
  const { place: own } = entry;
  const goesFirst =
    own !== null &&
    [...index.ready.groups.values()].every((group) => {
      const head = index.ready.headOf(group);
      return head === null || head === own || runsBefore(own, head);
    });
  if (goesFirst) return cause('about_to_run', 'Nothing holds it back: it is given to a worker now.', place);
  const message =
    'A worker that takes it has a free slot, but other tasks go first: it is looked at after them, at once.';
  return cause('behind_others', message, place);
}

function goFirst({ position }: Place): string {
  return position === null || position === 0 ? '' : `, and ${position} of its queue and type go first`;
}

// The picture of a master compared with the tree. Where nothing is under way there must be no difference, for a standby neither. Each
// comparison can be made again with a later picture and with znodes of one moment, for a system that goes on. Pure.

import { isDeepStrictEqual } from 'node:util';
import { decodeQueue } from '../coordination/queue-record.ts';
import { parseQueuePath, paths } from '../coordination/znode-paths.ts';
import type { PictureTask } from '../domain/master-picture.ts';
import type { TaskId, WorkerId } from '../domain/task.ts';
import { expectedTask, expectedWorker } from './expected-picture.ts';
import type { MasterPicture } from './master-picture.ts';
import { type Look, lookAt } from './suspicion.ts';
import type { TreeSnapshot } from './tree-snapshot.ts';
import { holdersIn, tasksIn, workersIn } from './tree-survey.ts';

export interface Difference {
  readonly path: string;
  /** A sentence that goes on after the path. */
  readonly what: string;
}

export interface Comparison {
  readonly path: string;
  /** What is different; null: nothing, or nothing that can be told. */
  readonly differs: (picture: MasterPicture, look: Look) => string | null;
}

export function comparePicture(picture: MasterPicture, tree: TreeSnapshot): Difference[] {
  const look = lookAt(tree);
  const differences: Difference[] = [];
  for (const { path, differs } of comparisonsOf(picture, tree)) {
    const what = differs(picture, look);
    if (what !== null) differences.push({ path, what });
  }
  return differences;
}

/** Of everything that is known to either. */
export function* comparisonsOf(picture: MasterPicture, tree: TreeSnapshot): Generator<Comparison> {
  const workers = [...new Set([...workersIn(tree), ...picture.workers.keys()])];
  for (const id of new Set([...tasksIn(tree), ...holdersIn(tree).keys(), ...picture.tasks.keys()])) {
    yield { path: paths.task(id), differs: (its, look) => taskDifference(its, look, id, workers) };
  }
  for (const id of workers) {
    yield { path: paths.worker(id), differs: (its, look) => workerDifference(its, look, id) };
  }
  for (const name of new Set([...(tree.get(paths.queues)?.children ?? []), ...picture.queues.keys()])) {
    if (parseQueuePath(paths.queue(name)) === null) continue;
    yield { path: paths.queue(name), differs: (its, look) => queueDifference(its, look, name) };
  }
  yield { path: paths.tasks, differs: sumsDifference };
}

/**
 * Servers tell nobody of changes to what one may not read, so of a hidden znode a master may not know that it came, nor that it went: it
 * is then stepped around, and nothing is wrong. Of a task that can be read, whatever else of it is hidden, that it is there is known.
 */
function taskDifference(
  { tasks, now }: MasterPicture,
  look: Look,
  id: TaskId,
  workers: readonly WorkerId[],
): string | null {
  const known = tasks.get(id) ?? null;
  const expected = expectedTask(look, id, workers, now);
  if (known?.assignments.some(({ worker }) => !workers.includes(worker))) return null;
  if (expected === 'unclear') {
    const node = look(paths.task(id));
    return known || !node || node.isHidden ? null : 'is there, and it knows of none';
  }
  if (known && isUnreadAndGone(known, expected)) return null;
  // With the time, so that two pictures never say the same: each may tell of another decision. At rest there is none.
  if (known?.decided) return `is being decided about at ${now}`;
  return difference(known, expected);
}

/** What it could not read, and is no longer there: it may have been hidden. Nothing is ever begun with what is not read. */
function isUnreadAndGone({ fact, status, assignments }: PictureTask, expected: PictureTask | null): boolean {
  return (
    (fact === 'unread' && !expected?.fact) ||
    (status === 'unread' && !expected?.status) ||
    assignments.some(
      ({ worker, czxid }) => czxid === null && !expected?.assignments.some((its) => its.worker === worker),
    )
  );
}

function workerDifference(picture: MasterPicture, look: Look, id: WorkerId): string | null {
  const expected = expectedWorker(look, id);
  const known = picture.workers.get(id) ?? null;
  if (expected === 'unclear' || (known?.registered === 'unread' && !expected?.registered)) return null;
  return difference(known, expected);
}

/** Settings that cannot be read leave those that were before. */
function queueDifference(picture: MasterPicture, look: Look, name: string): string | null {
  const node = look(paths.queue(name));
  const settings = node && !node.isHidden ? decodeQueue(node.data).settings : null;
  if (node && !settings) return null;
  return difference(picture.queues.get(name) ?? null, settings);
}

/**
 * Against its own lines: that these are as the tree has it is compared one by one. A task of which something could not be read any more is
 * still counted as what it was last known to be, and its line does not say as what.
 */
function sumsDifference({ sums, tasks }: MasterPicture): string | null {
  const states: Record<string, number> = Object.fromEntries(Object.keys(sums.states).map((state) => [state, 0]));
  const queues: Record<string, number> = {};
  let unknown = 0;
  for (const task of tasks.values()) {
    if (task.state === null && task.fact !== null) unknown += 1;
    if (task.state !== null) states[task.state] = (states[task.state] ?? 0) + 1;
    const queue = queueOfUnfinished(task);
    if (queue !== null) queues[queue] = (queues[queue] ?? 0) + 1;
  }
  const isCovered = exceedsBy(sums.states, states) <= unknown && exceedsBy(sums.queues, queues) <= unknown;
  return unknown > 0 && isCovered ? null : difference({ ...sums }, { states, queues });
}

/** How much more is counted; Infinity where of anything there is less. */
function exceedsBy(counted: Readonly<Record<string, number>>, lines: Readonly<Record<string, number>>): number {
  const names = new Set([...Object.keys(counted), ...Object.keys(lines)]);
  const more = [...names].map((name) => (counted[name] ?? 0) - (lines[name] ?? 0));
  return more.every((each) => each >= 0) ? more.reduce((sum, each) => sum + each, 0) : Infinity;
}

function queueOfUnfinished({ fact, state }: PictureTask): string | null {
  const isUnfinished = state === 'scheduled' || state === 'queued' || state === 'running';
  return isUnfinished && fact !== null && fact !== 'unread' ? fact.queue : null;
}

/** With all that tells one from its like of an earlier time: the same is said twice only of the same. */
function difference(known: object | null, expected: object | null): string | null {
  if (!known || !expected) {
    if (known === expected) return null;
    return expected
      ? `is ${JSON.stringify(expected)}, and it knows of none`
      : `is not there, and it knows of ${JSON.stringify(known)}`;
  }
  const of = (object: object) => object as Record<string, unknown>;
  const names = Object.keys(known).filter((name) => !isDeepStrictEqual(of(known)[name], of(expected)[name]));
  const text = (object: object, name: string) => JSON.stringify(of(object)[name]);
  const each = names.map((name) => `${name} is ${text(expected, name)}, and it has ${text(known, name)}`);
  return each.length > 0 ? each.join('; ') : null;
}

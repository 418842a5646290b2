// Tasks with one exclusive key: one at a time, in the order of their creation. Pure.

import type { TaskId, WorkerId } from '../../domain/task.ts';
import { type AssignmentLook, lookAtAssignment } from '../assignment-look.ts';
import { type Finding, finding } from '../finding.ts';
import type { Look } from '../suspicion.ts';
import { isCreatedBefore, lookAtTask, type TaskLook } from '../task-look.ts';

/** Tasks that may have the key and be unfinished, and who may have them. */
export interface KeyGroup {
  readonly key: string;
  readonly tasks: readonly { readonly id: TaskId; readonly workers: readonly WorkerId[] }[];
}

interface Run {
  readonly task: TaskLook;
  readonly assignment: AssignmentLook;
}

export function* exclusiveKeyFindings(look: Look, { key, tasks }: KeyGroup): Generator<Finding> {
  const runs: Run[] = [];
  const waiting: TaskLook[] = [];
  for (const { id, workers } of tasks) {
    const task = lookAtTask(look, id);
    if (task?.record?.exclusiveKey !== key) continue;
    const [assignment] = workers.flatMap((worker) => lookAtAssignment(look, worker, id) ?? []);
    if (assignment) runs.push({ task, assignment });
    else if (!task.status) waiting.push(task);
  }
  yield* sharedFindings(runs);
  for (const run of runs) yield* orderFindings(run, waiting);
}

/** Who assigns a task by hand takes the key, out of turn. */
function* sharedFindings(runs: readonly Run[]): Generator<Finding> {
  const byMasters = runs.filter(({ assignment }) => assignment.isOurs);
  const rule = byMasters.length > 1 ? 'key-shared' : 'key-shared-by-hand';
  const [first, ...others] = byMasters.length > 1 ? byMasters : runs;
  if (!first || others.length === 0) return;
  const names = others.map(({ task }) => task.id).join(', ');
  yield finding(rule, first.assignment.path, `runs at the same time as ${names}, which has the same exclusive key`);
}

/**
 * Whoever comes after other tasks may step aside, and then stands in its old place again: so only those that come after none are
 * known to have been before it in the line all the time.
 */
function* orderFindings({ task, assignment }: Run, waiting: readonly TaskLook[]): Generator<Finding> {
  if (!assignment.isOurs) return;
  const earlier = waiting.find(
    (other) =>
      isCreatedBefore(other, task) &&
      other.record?.after.length === 0 &&
      other.node.stat.mzxid < assignment.node.stat.czxid,
  );
  if (!earlier) return;
  const what = `runs, and ${earlier.id}, which has the same exclusive key and was created before it, is still waiting`;
  yield finding('key-out-of-turn', assignment.path, what);
}

// Settings of queues, and what of them runs. Masters keep to the settings that they know; one may be lowered, or be new, while an
// assignment is on its way, so more than it allows is no violation. Pure.

import { decodeQueue } from '../../coordination/queue-record.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { TaskId, WorkerId } from '../../domain/task.ts';
import { lookAtAssignment } from '../assignment-look.ts';
import { type Finding, finding } from '../finding.ts';
import type { Look } from '../suspicion.ts';
import { lookAtTask } from '../task-look.ts';
import { newerFindings } from './records.ts';

export type Run = readonly [TaskId, WorkerId];

/** `runs` are those that may be of the queue. */
export function* queueFindings(look: Look, queue: string, runs: readonly Run[]): Generator<Finding> {
  const path = paths.queue(queue);
  const node = look(path);
  if (!node || node.isHidden) return;
  yield* newerFindings(path, node.data);
  const { settings, notTaken } = decodeQueue(node.data);
  if (!settings)
    yield finding('unreadable', path, 'has no settings that can be read: the last ones that could be stay');
  if (notTaken.length > 0)
    yield finding('not-taken', path, `has what is no setting: ${notTaken.join(', ').slice(0, 200)}`);
  const max = settings?.concurrency ?? Infinity;
  if (runs.length <= max) return;
  const running = runs.filter(
    ([task, worker]) => lookAtAssignment(look, worker, task) && lookAtTask(look, task)?.record?.queue === queue,
  );
  if (running.length > max) yield finding('queue-overfull', path, `lets ${max} tasks run, and ${running.length} do`);
}

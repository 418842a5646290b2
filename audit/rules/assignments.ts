// Who runs a task: one worker at most, one that takes it, in its turn, and not a task that has ended. What a person assigns may be
// anything, and is put right by the leading master; so what masters of ours never do is a violation only where one of ours
// has made the assignment. Pure.

import { paths } from '../../coordination/znode-paths.ts';
import type { TaskId, WorkerId } from '../../domain/task.ts';
import { type AssignmentLook, lookAtAssignment, lookAtWorker } from '../assignment-look.ts';
import { type Finding, finding } from '../finding.ts';
import type { Look } from '../suspicion.ts';
import { lookAtTask, type TaskLook } from '../task-look.ts';
import { assignmentRecordFindings } from './records.ts';

/** `workers` are those that may have it. */
export function* assignmentFindings(look: Look, id: TaskId, workers: readonly WorkerId[]): Generator<Finding> {
  const held = workers.map((worker) => lookAtAssignment(look, worker, id)).filter((assignment) => assignment !== null);
  const [first] = held;
  if (!first) return;
  if (held.length > 1) {
    const others = held.slice(1).map(({ worker }) => worker);
    yield finding('assigned-twice', first.path, `is there, and the task is assigned to ${others.join(', ')} as well`);
  }
  const isThere = look(paths.task(id)) !== null;
  const task = lookAtTask(look, id);
  for (const assignment of held) {
    yield* assignmentRecordFindings(assignment);
    yield* workerFindings(look, assignment);
    if (!isThere) yield finding('assigned-without-task', assignment.path, 'is the assignment of a task that is gone');
    if (task?.status) yield endedFinding(assignment, task.status.isOurs);
    else if (task) yield* turnFindings(look, task, assignment);
  }
}

function* workerFindings(look: Look, { path, node, worker }: AssignmentLook): Generator<Finding> {
  const registered = lookAtWorker(look, worker);
  if (!registered) {
    if (!look(paths.worker(worker))?.isHidden) {
      yield finding('assigned-to-nobody', path, `is assigned to ${worker}, which is not registered`);
    }
  } else if (node.stat.czxid < registered.node.stat.czxid) {
    yield finding(
      'assigned-to-former-life',
      path,
      `is older than the registration of ${worker}, which does not run it`,
    );
  }
}

/** Ours end it in the transaction that removes the assignment. A person writes a status and may forget the assignment. */
function endedFinding({ path, isOurs }: AssignmentLook, isEndOurs: boolean): Finding {
  const what = 'is the assignment of a task that has ended';
  return finding(isOurs && isEndOurs ? 'assigned-and-ended' : 'leftover-assignment', path, what);
}

function* turnFindings(look: Look, task: TaskLook, assignment: AssignmentLook): Generator<Finding> {
  const { path, node, record, isOurs } = assignment;
  const { attempts } = task;
  const next = Math.max(0, ...attempts.map(({ record: { attempt } }) => attempt)) + 1;
  if (isOurs && record.attempt !== next && attempts.every((attempt) => attempt.isOurs)) {
    yield finding('assigned-attempt', path, `is attempt ${record.attempt}, and ${next} comes next`);
  }
  // Somebody may have changed the task since: it was given as it was then.
  if (!isOurs || !task.record || task.node.stat.mzxid > node.stat.czxid) return;
  if (record.attempt !== null && record.attempt > task.record.maxAttempts) {
    yield finding('attempts-too-many', path, `is attempt ${record.attempt} of ${task.record.maxAttempts}`);
  }
  const notBefore = attempts.at(-1)?.record.retryAt ?? task.record.runAt ?? 0;
  if (record.startedAt !== null && record.startedAt < notBefore) {
    yield finding('assigned-early', path, `was assigned ${notBefore - record.startedAt} ms before its time`);
  }
  if (task.record.after.length > 0 && !task.unblocked && attempts.length === 0) {
    yield finding('assigned-before-let-go', path, 'runs, and was not let go by the tasks that it comes after');
  }
  yield* fitFindings(look, task.record, assignment);
}

/** As the worker described itself when it was chosen: each assignment has that as a condition. */
function* fitFindings(
  look: Look,
  { type, queue }: { readonly type: string; readonly queue: string },
  { path, node, worker }: AssignmentLook,
): Generator<Finding> {
  const registered = lookAtWorker(look, worker);
  if (!registered || registered.node.stat.mzxid > node.stat.czxid) return;
  const { types, queues, draining } = registered.record;
  const why = [
    ...(types && !types.includes(type) ? [`takes no ${type}`] : []),
    ...(queues && !queues.includes(queue) ? [`does not serve queue ${queue}`] : []),
    ...(draining ? ['was draining'] : []),
  ];
  if (why.length > 0) yield finding('assigned-to-unfit', path, `was assigned to ${worker}, which ${why.join(' and ')}`);
}

// What a master should know of one task or one worker, from what the tree says of it. Pure.

import { isNewer, isNewerStatus } from '../coordination/record-json.ts';
import { paths } from '../coordination/znode-paths.ts';
import type { PictureTask, PictureWorker } from '../domain/master-picture.ts';
import type { TaskId, WorkerId } from '../domain/task.ts';
import { taskStateAt } from '../domain/task-view.ts';
import { type AssignmentLook, lookAtAssignment, lookAtWorker } from './assignment-look.ts';
import type { Look } from './suspicion.ts';
import { lookAtTask, type TaskLook } from './task-look.ts';

/** `workers` are all that may have it. Null: nothing of it is there. `unclear`: something of it may not be read, or is for a newer version. */
export function expectedTask(
  look: Look,
  id: TaskId,
  workers: readonly WorkerId[],
  now: number,
): PictureTask | 'unclear' | null {
  const node = look(paths.task(id));
  const task = lookAtTask(look, id);
  if (node && (!task || task.cancel?.isHidden || task.unblocked?.isHidden)) return 'unclear';
  if (workers.some((worker) => look(paths.assignment(worker, id))?.isHidden)) return 'unclear';
  const held = workers
    .map((worker) => lookAtAssignment(look, worker, id))
    .filter((assignment) => assignment !== null)
    .sort((a, b) => (a.worker < b.worker ? -1 : 1));
  if (!task && held.length === 0) return null;
  if (isPartNewer(task, held)) return 'unclear';
  const assignments = held.map(({ worker, node: { stat }, record: { attempt, withdraw } }) => {
    return { worker, czxid: String(stat.czxid), version: stat.version, attempt, withdraw, counted: true };
  });
  return { id, ...(task ? ofTask(task, held, now) : ofNone), assignments, decided: false };
}

/** Masters take nothing from such a record; of the task itself they say that it is one. */
function isPartNewer(task: TaskLook | null, held: readonly AssignmentLook[]): boolean {
  if (task?.status && isNewerStatus(task.status.node.data)) return true;
  return [...(task?.attempts ?? []), ...held].some(({ node }) => isNewer(node.data));
}

const ofNone = {
  ...{ fact: null, state: null, status: null, attempts: [], retryAt: null },
  ...{ cancel: false, unblocked: false },
} as const;

function ofTask(task: TaskLook, held: readonly AssignmentLook[], now: number) {
  const { node, reading, status, attempts, cancel, unblocked } = task;
  const isEphemeral = node.stat.ephemeralOwner !== 0n;
  const record = isEphemeral ? null : task.record;
  const { type = null, queue = null, priority = null, exclusiveKey = null } = record ?? {};
  const fact = {
    czxid: String(node.stat.czxid),
    version: node.stat.version,
    content: isEphemeral ? 'ephemeral' : reading.kind,
  } as const;
  return {
    fact: { ...fact, type, queue, priority, exclusiveKey },
    state: taskStateAt(snapshotOf({ ...task, record }, held, now), now),
    status: status && {
      state: status.record.state,
      attempt: status.record.attempt,
      worker: status.record.worker,
    },
    attempts: attempts.map(({ record: { attempt } }) => attempt),
    retryAt: attempts.at(-1)?.record.retryAt ?? null,
    cancel: cancel !== null,
    unblocked: unblocked !== null,
  };
}

function snapshotOf(task: TaskLook, [first]: readonly AssignmentLook[], now: number) {
  const { id, node, record, status, attempts, cancel, unblocked } = task;
  return {
    ...{ id, record, createdAt: node.stat.ctime, cancelRequested: cancel !== null },
    // It has happened, though the clock of the ensemble be ahead of the master's.
    unblockedAt: unblocked && Math.min(unblocked.stat.ctime, now),
    status: status?.record ?? null,
    attempts: attempts.map(({ record }) => record),
    assignment: first ? { worker: first.worker, record: first.record } : null,
  };
}

/** Null: nothing of it is there. `unclear`: something of it may not be read. */
export function expectedWorker(look: Look, id: WorkerId): PictureWorker | 'unclear' | null {
  const node = look(paths.worker(id));
  const folder = look(paths.assignments(id));
  if (node?.isHidden || folder?.isHidden) return 'unclear';
  const worker = lookAtWorker(look, id);
  if (!worker && !folder) return null;
  const { czxid, version } = worker?.node.stat ?? { czxid: 0n, version: 0 };
  const concurrency = worker && !isNewer(worker.node.data) ? worker.record.concurrency : 0;
  const registered = worker && { czxid: String(czxid), version, concurrency };
  return { id, registered, reachable: folder !== null, strays: [] };
}

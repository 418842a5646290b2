// Assignments and workers, as rules look at them. Pure.

import { parseObject } from '../coordination/record-json.ts';
import { paths } from '../coordination/znode-paths.ts';
import { decodeAssignment, decodeWorker } from '../coordination/znode-records.ts';
import type { AssignmentRecord, TaskId, WorkerId, WorkerRecord } from '../domain/task.ts';
import type { Look } from './suspicion.ts';
import type { Read } from './task-look.ts';

/** `isOurs`: a master of ours has made it, and nobody has written into it since, after which that could not be told any more. */
export interface AssignmentLook extends Read<AssignmentRecord> {
  readonly task: TaskId;
  readonly worker: WorkerId;
}

/** Null: there is none, or it may not be read. */
export function lookAtAssignment(look: Look, worker: WorkerId, task: TaskId): AssignmentLook | null {
  const path = paths.assignment(worker, task);
  const node = look(path);
  if (!node || node.isHidden) return null;
  const object = parseObject(node.data.toString('utf8'));
  const isOurs = object?.['v'] === 1 && 'attempt' in object && 'startedAt' in object && node.stat.version === 0;
  return { path, node, task, worker, record: decodeAssignment(node.data), isOurs };
}

/** `isOurs` says nothing here. Null: there is none, it may not be read, or it is no worker. */
export function lookAtWorker(look: Look, worker: WorkerId): Read<WorkerRecord> | null {
  const path = paths.worker(worker);
  const node = look(path);
  if (!node || node.isHidden || node.stat.ephemeralOwner === 0n) return null;
  const record = decodeWorker(node.data);
  return record && { path, node, record, isOurs: true };
}

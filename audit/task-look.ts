// A task with everything below it, as rules look at it. Pure.

import { parseObject } from '../coordination/record-json.ts';
import { decodeTask, type TaskReading } from '../coordination/task-record.ts';
import { parseAttemptName, paths } from '../coordination/znode-paths.ts';
import { decodeAttempt, decodeStatus } from '../coordination/znode-records.ts';
import type { AttemptRecord, StatusRecord, TaskId, TaskRecord } from '../domain/task.ts';
import { taskNumber } from '../domain/task-id.ts';
import type { Look } from './suspicion.ts';
import type { SnapshotNode } from './tree-snapshot.ts';

/** A record and its znode. */
export interface Read<T> {
  readonly path: string;
  readonly node: SnapshotNode;
  readonly record: T;
  /** In the form that our own processes write, not the text of a person. */
  readonly isOurs: boolean;
}

export interface TaskLook {
  readonly id: TaskId;
  readonly path: string;
  readonly node: SnapshotNode;
  readonly reading: TaskReading;
  /** Null: it is no task of ours, or of a newer version. */
  readonly record: TaskRecord | null;
  readonly status: Read<StatusRecord> | null;
  /** By their numbers. */
  readonly attempts: readonly Read<AttemptRecord>[];
  readonly cancel: SnapshotNode | null;
  readonly unblocked: SnapshotNode | null;
}

/** Null: there is no such task, or something of it may not be read. */
export function lookAtTask(look: Look, id: TaskId): TaskLook | null {
  const path = paths.task(id);
  const node = look(path);
  if (!node || node.isHidden) return null;
  const child = (name: string) => (node.children.includes(name) ? look(`${path}/${name}`) : null);
  const statusNode = child('status');
  const attempts = node.children.flatMap((name) => {
    const number = parseAttemptName(name);
    const found = number === null ? null : child(name);
    return number === null || !found ? [] : [{ number, found }];
  });
  if (statusNode?.isHidden || attempts.some(({ found }) => found.isHidden)) return null;
  const reading = decodeTask(node.data, node.stat.ctime);
  return {
    ...{ id, path, node, reading },
    record: reading.kind === 'task' ? reading.record : null,
    status: statusNode && readStatus(paths.status(id), statusNode),
    attempts: attempts
      .sort((a, b) => a.number - b.number)
      .map(({ number, found }) => readAttempt(paths.attempt(id, number), number, found)),
    cancel: child('cancel'),
    unblocked: child('unblocked'),
  };
}

function readStatus(path: string, node: SnapshotNode): Read<StatusRecord> {
  const record = decodeStatus(node.data, node.stat.ctime);
  const object = parseObject(node.data.toString('utf8'));
  const isOurs = object?.['v'] === 1 && object['state'] === record.state && object['attempt'] === record.attempt;
  return { path, node, record, isOurs };
}

function readAttempt(path: string, number: number, node: SnapshotNode): Read<AttemptRecord> {
  const record = decodeAttempt(node.data, number, node.stat.ctime);
  const object = parseObject(node.data.toString('utf8'));
  const isOurs = object?.['v'] === 1 && object['outcome'] === record.outcome && object['attempt'] === number;
  return { path, node, record, isOurs };
}

/** In the order of creation. */
export function isCreatedBefore(a: TaskLook, b: TaskLook): boolean {
  const { czxid } = a.node.stat;
  return czxid === b.node.stat.czxid ? taskNumber(a.id) < taskNumber(b.id) : czxid < b.node.stat.czxid;
}

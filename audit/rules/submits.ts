// What a submit made: its tasks once, together, and with its idempotency key. Pure.

import { keyPaths } from '../../coordination/key-paths.ts';
import { paths } from '../../coordination/znode-paths.ts';
import { decodeKey } from '../../coordination/znode-records.ts';
import type { TaskId } from '../../domain/task.ts';
import { taskNumber } from '../../domain/task-id.ts';
import { type Finding, finding } from '../finding.ts';
import type { Look } from '../suspicion.ts';
import { lookAtTask, type TaskLook } from '../task-look.ts';
import { newerFindings } from './records.ts';

/** A key goes in the transaction that removes its task, that of a batch after the last of them. */
export function* keyFindings(look: Look, { path, node, record }: TaskLook): Generator<Finding> {
  if (!record?.idempotencyKey || record.submitId === null) return;
  const { path: keyPath } = keyPaths(record.idempotencyKey);
  const found = look(keyPath);
  if (found?.isHidden) return;
  const key = found && decodeKey(found.data);
  const fault = !found
    ? `there is no ${keyPath}`
    : found.stat.czxid !== node.stat.czxid
      ? `${keyPath} was not made together with it`
      : key?.submitId !== record.submitId && `${keyPath} is that of another submit`;
  if (fault) yield finding('keyed-without-key', path, `has an idempotency key, and ${fault}`);
}

/** `ids` may be the tasks of one submit. */
export function* submitFindings(look: Look, submitId: string, ids: readonly TaskId[]): Generator<Finding> {
  const tasks = ids
    .map((id) => lookAtTask(look, id))
    .filter((task) => task !== null && task.record?.submitId === submitId) as TaskLook[];
  const [first, ...others] = tasks.map((task) => ({ task, place: placeOf(task) }));
  const other = others.find(({ place }) => place !== first?.place);
  const indexes = tasks.map(({ record }) => record?.batch?.index ?? 0);
  if (first && (other || new Set(indexes).size < indexes.length)) {
    const names = others.map(({ task }) => task.id).join(', ');
    const what = `has the same submit id as ${names}, and they are not the members of one batch`;
    yield finding('submitted-twice', first.task.path, what);
  }
}

/** The same for all that were made by one submit: the transaction, and the number of the first. */
function placeOf({ id, node, record }: TaskLook): string {
  return `${node.stat.czxid} ${taskNumber(id) - (record?.batch?.index ?? 0)}`;
}

/** A key, as it was seen first, and all tasks that may be its. */
export interface SeenKey {
  readonly czxid: bigint;
  readonly candidates: readonly TaskId[];
}

/** The key of a batch stays a moment longer than its tasks, or for ever where no master led; the next submit with it removes it. */
export function* keyZnodeFindings(look: Look, path: string, { czxid, candidates }: SeenKey): Generator<Finding> {
  const node = look(path);
  if (!node || node.isHidden) return;
  yield* newerFindings(path, node.data);
  if (!decodeKey(node.data))
    yield finding('unreadable', path, 'is no record of a request: the next submit makes it anew');
  const isSame = node.stat.czxid === czxid;
  if (!isSame || candidates.some((id) => look(paths.task(id))?.stat.czxid === czxid)) return;
  yield finding('key-without-tasks', path, 'is an idempotency key whose tasks are gone');
}

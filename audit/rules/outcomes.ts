// What is recorded below one task: each record made once, attempts numbered and in order, an end that fits them. Nothing below a
// task is ever changed or removed alone, so what can be seen at any moment tells all that has ever happened there. Pure.

import type { AttemptRecord } from '../../domain/task.ts';
import { type Finding, finding } from '../finding.ts';
import type { Read, TaskLook } from '../task-look.ts';
import type { SnapshotNode } from '../tree-snapshot.ts';

export function outcomeFindings(whole: TaskLook): Finding[] {
  const task = { ...whole, attempts: whole.attempts.filter((attempt) => !isAfterEnd(whole, attempt)) };
  return [
    ...changes(whole),
    ...lateAttempts(whole),
    ...attemptNumbers(task),
    ...attemptsAndEnd(task),
    ...endAndAttempts(task),
  ];
}

/** After an end in our own form; a person's may come while the task runs. */
function isAfterEnd({ status }: TaskLook, { node }: Read<AttemptRecord>): boolean {
  return status?.isOurs === true && node.stat.czxid > status.node.stat.czxid;
}

/** Whoever wrote them. Nothing else is said of their numbers: what comes after the end changes nothing of what was before it. */
function* lateAttempts(task: TaskLook): Generator<Finding> {
  for (const attempt of task.attempts) {
    if (!isAfterEnd(task, attempt)) continue;
    const by = attempt.isOurs ? '' : ', and not by a process of ours';
    yield finding('attempt-after-end', attempt.path, `was recorded after the task had ended${by}`);
  }
}

/** A parent's cversion is twice the creations below it, less the children that it has. */
function creationsBelow({ cversion, numChildren }: { cversion: number; numChildren: number }): number {
  return (cversion + numChildren) / 2;
}

function* changes(task: TaskLook): Generator<Finding> {
  const { path, node, status, attempts } = task;
  const { numChildren } = node.stat;
  const created = creationsBelow(node.stat);
  if (created !== numChildren) {
    const left = childrenLeft(task).join(', ');
    const what = `has had ${created} znodes below it and has ${numChildren} of them${left === '' ? '' : `: ${left}`}`;
    yield finding('removed-alone', path, what);
  }
  if (status && status.node.stat.version !== 0) {
    yield finding('status-changed', status.path, `was set ${status.node.stat.version} times after its creation`);
  }
  for (const attempt of attempts) {
    if (attempt.node.stat.version !== 0) yield finding('attempt-changed', attempt.path, 'was set after its creation');
  }
}

/** With the times of their creation, in that order: whoever looks for what happened twice has to know between which times. */
function childrenLeft({ path, status, attempts, cancel, unblocked }: TaskLook): string[] {
  const kept: readonly (readonly [string, SnapshotNode | null])[] = [
    ...attempts.map((attempt) => [attempt.path.slice(path.length + 1), attempt.node] as const),
    ...([
      ['status', status?.node ?? null],
      ['cancel', cancel],
      ['unblocked', unblocked],
    ] as const),
  ];
  return kept
    .flatMap(([name, node]) => (node && !node.isHidden ? [{ name, ...node.stat }] : []))
    .sort((a, b) => (a.czxid < b.czxid ? -1 : 1))
    .map(({ name, ctime }) => `${name} of ${new Date(ctime).toISOString()}`);
}

function* attemptNumbers({ path, record, status, attempts }: TaskLook): Generator<Finding> {
  const numbers = attempts.map(({ record: { attempt } }) => attempt);
  const last = attempts.at(-1);
  if (numbers.some((number, place) => number !== place + 1)) {
    yield finding('attempts-numbers', path, `has attempts ${numbers.join(', ')}`);
  }
  const isInOrder = attempts.every(({ node }, place) => node.stat.czxid > (attempts[place - 1]?.node.stat.czxid ?? 0n));
  if (!isInOrder)
    yield finding('attempts-order', path, 'has attempts that were not made in the order of their numbers');
  const reached = Math.max(last?.record.attempt ?? 0, status?.isOurs ? status.record.attempt : 0);
  if (record && reached > record.maxAttempts) {
    yield finding('attempts-too-many', path, `has come to attempt ${reached} of ${record.maxAttempts}`);
  }
}

/** Of attempts in our own form: a person's say nothing of what follows. */
function* attemptsAndEnd({ status, attempts }: TaskLook): Generator<Finding> {
  const endedAt = status?.node.stat.czxid ?? null;
  for (const { path, node, record, isOurs } of attempts) {
    if (!isOurs) continue;
    const isEnd = endedAt === node.stat.czxid;
    if (record.retryAt === null && record.outcome !== 'succeeded' && !isEnd) {
      const what = endedAt === null ? 'and the task has not ended' : 'and the task did not end with it';
      yield finding('attempt-without-end', path, `is followed by no other, ${what}`);
    }
  }
}

/** `attempts` are those that were recorded before the end, or with it. */
function* endAndAttempts({ status, attempts }: TaskLook): Generator<Finding> {
  if (!status?.isOurs) return;
  const { state, attempt, worker, error } = status.record;
  const own = attempts.find(({ record }) => record.attempt === attempt);
  const last = attempts.at(-1)?.record.attempt ?? 0;
  if (state === 'succeeded') {
    if (own && own.record.outcome !== 'succeeded') {
      const what = `is the success of attempt ${attempt}, which is recorded as ${own.record.outcome}`;
      yield finding('end-of-ended-attempt', status.path, what);
    } else if (!own && attempt !== last + 1) {
      const before = last === 0 ? 'no attempt is recorded' : `attempt ${last} is the last one that is recorded`;
      const what = `is the success of attempt ${attempt}, and ${before} before it`;
      yield finding('end-of-ended-attempt', status.path, what);
    }
  } else if (state === 'failed' && worker !== null && error?.code !== 'invalid_task') {
    if (own?.node.stat.czxid !== status.node.stat.czxid) {
      yield finding('end-without-attempt', status.path, `was not made together with the record of attempt ${attempt}`);
    }
  }
}

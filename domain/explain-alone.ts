// What a task by itself says of why it is where it is: its end, its run, its time, those that it comes after. Known to whoever
// reads the task, also while no master leads. Pure.

import { type Cause, cause, counted, named, timeText } from './explanation.ts';
import type { WithdrawReason } from './task.ts';
import { dependenciesOf } from './task-id.ts';
import { deadlineOf, earliestStart, type TaskSnapshot } from './task-view.ts';

/** Of an error, in a sentence about it. */
const messageCharactersMax = 200;

/** The first one decides; none: nothing in the task itself keeps it from running. `now` in epoch ms. */
export function explainAlone(snapshot: TaskSnapshot, now: number): Cause[] {
  if (snapshot.status) return [finalCause(snapshot, snapshot.status)];
  if (snapshot.assignment) return [runCause(snapshot, snapshot.assignment)];
  if (snapshot.cancelRequested) {
    const message = 'It was asked to be cancelled, and the leading master does so as soon as it can.';
    return [cause('cancel_requested', message)];
  }
  const deadlineAt = deadlineOf(snapshot.record) ?? Infinity;
  if (deadlineAt <= now) {
    const message = `Its deadline passed at ${timeText(deadlineAt)}: the leading master ends it as failed, expired.`;
    return [cause('being_ended', message, { since: deadlineAt })];
  }
  return waitCauses(snapshot, now);
}

type Status = NonNullable<TaskSnapshot['status']>;

function finalCause({ record }: TaskSnapshot, status: Status): Cause {
  const { state, error, attempt, worker, finishedAt } = status;
  const at = timeText(finishedAt);
  const fields = { since: finishedAt, worker };
  if (state === 'succeeded') return cause(state, `It succeeded at ${at}; its result is in the task.`, fields);
  const again = 'retry it to run it again as a new task';
  const why = error ? `: ${error.code}${error.message && `, ${beginOf(error.message)}`}` : '';
  if (state === 'cancelled') return cause(state, `It was cancelled at ${at}${why}; ${again}.`, fields);
  const tried = attempt === 0 ? 'before its first attempt' : `with attempt ${attempt} of ${record?.maxAttempts ?? 1}`;
  return cause('failed', `It failed at ${at} ${tried}${why}; ${again}.`, fields);
}

/** What a command wrote may be many lines; the whole is in the task. */
function beginOf(message: string): string {
  const [line = ''] = message.split('\n', 1);
  return line.length > messageCharactersMax || line !== message ? `${line.slice(0, messageCharactersMax)}...` : line;
}

const withdrawn: Readonly<Record<WithdrawReason, string>> = {
  cancelled: 'It was asked to be cancelled',
  expired: 'Its deadline has passed',
  timed_out: 'Its attempt has taken longer than its timeout',
};

type Assignment = NonNullable<TaskSnapshot['assignment']>;

function runCause({ record: task, cancelRequested }: TaskSnapshot, { worker, record }: Assignment): Cause {
  const { attempt, startedAt, withdraw } = record;
  const fields = { since: startedAt, worker };
  if (withdraw) return cause('withdrawing', `${withdrawn[withdraw]}, and worker ${worker} is ending its run.`, fields);
  if (cancelRequested) {
    const message = `It was asked to be cancelled, and the leading master has yet to tell worker ${worker}, which runs it.`;
    return cause('cancel_requested', message, fields);
  }
  const timeoutAt = startedAt === null || task === null ? Infinity : startedAt + task.timeoutMs;
  const deadlineAt = deadlineOf(task) ?? Infinity;
  const until = Math.min(timeoutAt, deadlineAt);
  const which = attempt === null ? 'it' : `attempt ${attempt} of ${task?.maxAttempts ?? 1}`;
  const since = startedAt === null ? '' : ` since ${timeText(startedAt)}`;
  const end = deadlineAt < timeoutAt ? 'its deadline' : 'its timeout';
  const ends = until === Infinity ? '' : `; ${end} ends it at ${timeText(until)}`;
  const message = `Worker ${worker} runs ${which}${since}${ends}.`;
  return cause('running', message, { ...fields, until: until === Infinity ? null : until });
}

function waitCauses(snapshot: TaskSnapshot, now: number): Cause[] {
  const { id, record, attempts, unblockedAt, createdAt } = snapshot;
  const last = attempts.at(-1);
  if (last && last.retryAt !== null) {
    if (last.retryAt <= now) return [];
    const why = last.error ? ` (${last.error.code})` : '';
    const ended = `Attempt ${last.attempt} of ${record?.maxAttempts ?? 1} did not succeed${why}`;
    const message = `${ended}; the next one may start at ${timeText(last.retryAt)}, after its backoff.`;
    return [cause('backing_off', message, { since: last.finishedAt, until: last.retryAt })];
  }
  const causes: Cause[] = [];
  if (record && earliestStart(null, { ...record, runAt: null }, unblockedAt) > now) {
    const tasks = dependenciesOf(id, record);
    const message = `It comes after ${counted(tasks.length, 'task')}, not all of which have let it go yet: ${named(tasks)}.`;
    causes.push(cause('waits_for_tasks', message, { since: createdAt, tasks }));
  }
  const runAt = record?.runAt ?? 0;
  if (runAt > now) {
    causes.push(
      cause('delayed', `It is not to run before ${timeText(runAt)}, as its submit said.`, {
        since: createdAt,
        until: runAt,
      }),
    );
  }
  return causes;
}

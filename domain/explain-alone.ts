// What a task by itself says of why it is where it is: its end, its run, its time, those that it comes after. Known to whoever
// reads the task, also while no master leads. Pure.

import { type Cause, cause, counted, named, timeText } from './explanation.ts';
import { limits } from './limits.ts';
import type { TaskError, WithdrawReason } from './task.ts';
import { dependenciesOf } from './task-id.ts';
import { deadlineOf, earliestStart, type TaskSnapshot, wasLetGo } from './task-view.ts';

/** Of an error, in a sentence about it. */
const messageCharactersMax = 200;

/** The first one decides; none: nothing in the task itself keeps it from running. `now` in epoch ms. */
export function explainAlone(snapshot: TaskSnapshot, now: number): Cause[] {
  if (snapshot.status) return [finalCause(snapshot, snapshot.status)];
  if (snapshot.assignment) return [runCause(snapshot, snapshot.assignment, now)];
  if (snapshot.cancelRequested) {
    const message = 'It was asked to be cancelled, and the leading master does so as soon as it can.';
    return [cause('cancel_requested', message)];
  }
  const deadlineAt = deadlineOf(snapshot.record) ?? Infinity;
  if (deadlineAt <= now) {
    const message = `Its deadline passed at ${timeText(deadlineAt)}: the leading master ends it as failed, expired.`;
    return [cause('being_ended', message, { since: deadlineAt })];
  }
  return untilDeadline(waitCauses(snapshot, now), deadlineAt);
}

/** Of a task that waits: where its deadline comes before what the first of these waits for, that is what ends the wait. */
export function untilDeadline(causes: readonly Cause[], deadlineAt: number | null): Cause[] {
  const [first, ...others] = causes;
  if (!first || deadlineAt === null || deadlineAt >= (first.until ?? Infinity)) return [...causes];
  const when = first.until === null ? '' : ' before that,';
  const message = `${first.message.slice(0, -1)}; its deadline ends it${when} at ${timeText(deadlineAt)}.`;
  return [{ ...first, message, until: deadlineAt }, ...others];
}

type Status = NonNullable<TaskSnapshot['status']>;

function finalCause(snapshot: TaskSnapshot, status: Status): Cause {
  const { state, error, attempt, worker, finishedAt } = status;
  const at = timeText(finishedAt);
  const fields = { since: finishedAt, worker };
  if (state === 'succeeded') return cause(state, `It succeeded at ${at}; its result is in the task.`, fields);
  const again = againText(snapshot);
  const why = error ? `: ${errorText(error)}` : '';
  if (state === 'cancelled') return cause(state, `It was cancelled at ${at}${why}; ${again}.`, fields);
  const tried =
    attempt === 0 ? 'before its first attempt' : `with attempt ${attempt} of ${snapshot.record?.maxAttempts ?? 1}`;
  return cause('failed', `It failed at ${at} ${tried}${why}; ${again}.`, fields);
}

/** The next step for whoever wants it done after all. */
function againText(snapshot: TaskSnapshot): string {
  const { id, record } = snapshot;
  if (!record) return 'what it was to do cannot be read, so it cannot be retried: submit another';
  const again = 'retry it to run it again as a new task';
  if (wasLetGo(snapshot)) return again;
  const after = named(dependenciesOf(id, record));
  if (record.afterFailure === 'run') return `${again}, which waits for the end of ${after}`;
  return `${again}, which waits for the success of ${after}, or of retries: retry those that did not succeed, too`;
}

function errorText({ code, message }: TaskError): string {
  return message ? `${code}, ${beginOf(message)}` : code;
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

function runCause({ record: task, cancelRequested }: TaskSnapshot, { worker, record }: Assignment, now: number): Cause {
  const { attempt, startedAt, withdraw } = record;
  const fields = { since: startedAt, worker };
  if (withdraw) return cause('withdrawing', `${withdrawn[withdraw]}, and worker ${worker} is ending its run.`, fields);
  if (cancelRequested) {
    const message = `It was asked to be cancelled, and the leading master has yet to tell worker ${worker}, which runs it.`;
    return cause('cancel_requested', message, fields);
  }
  const timeoutAt = startedAt === null || task === null ? Infinity : startedAt + task.timeoutMs;
  const deadlineAt = deadlineOf(task) ?? Infinity;
  const which = attempt === null ? 'it' : `attempt ${attempt} of ${task?.maxAttempts ?? 1}`;
  const began = startedAt === null ? '' : ` since ${timeText(startedAt)}`;
  const { text, until } = endOfRun(worker, timeoutAt, deadlineAt, now);
  return cause('running', `Worker ${worker} runs ${which}${began}${text}.`, { ...fields, until });
}

/** The worker ends it at its timeout; where it has not, the master does so later. Times may be Infinity: there is none. */
function endOfRun(worker: string, timeoutAt: number, deadlineAt: number, now: number) {
  const end = deadlineAt < timeoutAt ? 'deadline' : 'timeout';
  const endsAt = Math.min(timeoutAt, deadlineAt);
  if (endsAt === Infinity) return { text: '', until: null };
  if (endsAt > now) return { text: `; its ${end} ends it at ${timeText(endsAt)}`, until: endsAt };
  const passed = `; its ${end} passed at ${timeText(endsAt)}`;
  const withdrawnAt = Math.min(timeoutAt + limits.timeoutGraceMs, deadlineAt);
  if (withdrawnAt <= now) return { text: `${passed}, and the leading master is to withdraw it`, until: null };
  const text = `${passed}: worker ${worker} has until ${timeText(withdrawnAt)} to end it, then it is withdrawn`;
  return { text, until: withdrawnAt };
}

function waitCauses(snapshot: TaskSnapshot, now: number): Cause[] {
  const { id, record, attempts, unblockedAt, createdAt } = snapshot;
  const last = attempts.at(-1);
  if (last && last.retryAt !== null) {
    if (last.retryAt <= now) return [];
    const where = last.worker === null ? '' : ` on worker ${last.worker}`;
    const why = last.error ? `: ${errorText(last.error)}` : '';
    const ended = `Attempt ${last.attempt} of ${record?.maxAttempts ?? 1} did not succeed${where}${why}`;
    const message = `${ended}; the next one may start at ${timeText(last.retryAt)}, after its backoff.`;
    return [cause('backing_off', message, { since: last.finishedAt, until: last.retryAt, worker: last.worker })];
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

// The leading master's housekeeping: removes finished tasks whose time is over, many to a transaction, one transaction after
// the other and with a rest after each, so that it does not disturb the work; and the idempotency keys of batches of which all
// tasks are gone, whoever removed them. Ends with `signal`.

import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import type { TaskLedger } from '../../coordination/task-ledger.ts';
import { keyToRemove } from '../../coordination/task-removal.ts';
import type { KeyedBatch } from '../../domain/keyed-batches.ts';
import { type RetentionPolicy, RetentionQueue } from '../../domain/retention.ts';
import type { TaskEntry } from '../../domain/task-entry.ts';
import { taskIdOf } from '../../domain/task-id.ts';
import type { Log } from '../../runtime/log.ts';
import type { Picture } from './picture.ts';

/** One or two transactions. */
const removalsAtOnce = 100;
/** Finished tasks that are lined up at the beginning of a term, in a turn: a hundred thousand take longer than a takeover may. */
const addedAtOnce = 2000;
/**
 * After each of them. A commit that comes while the ensemble removes so many waits for some milliseconds, and a task has three
 * commits: without a rest it took four times as long on the machine where this was measured, with it little longer. What
 * becomes due one by one gathers meanwhile. Two thousand a second beside as many that come.
 */
const restMs = 20;
/**
 * So many finished tasks more than there may be, and it takes more at a time and does not rest: else tasks that come faster than they go would
 * fill the ensemble, as each transaction waits behind those of all that comes.
 */
const excessMax = 10_000;
const removalsAtOnceBehind = 300;
/** Between looks while the picture is not complete. */
const notSyncedMs = 1000;
const pauseAfterFailureMs = 1000;
const pauseAfterFailureMsMax = 3_600_000;
const timerMsMax = 60_000;

export interface RetentionLoopOptions {
  readonly picture: Picture;
  /** On a group commit of its own: removals do not stand in line before assignments. */
  readonly ledger: TaskLedger;
  readonly policy: RetentionPolicy;
  readonly log: Log;
  readonly onRemoved: (count: number) => void;
  /** Another master has taken over. */
  readonly onFenced: () => void;
}

export async function runRetention(options: RetentionLoopOptions, signal: AbortSignal): Promise<void> {
  const { picture, policy } = options;
  const { index } = picture;
  const queue = new RetentionQueue(policy);
  const failures = new Failures();
  const gone: KeyedBatch[] = [];
  const asleep = () => undefined;
  let wake: () => void = asleep;
  /** When it looks next, epoch ms. */
  let wakesAt = Infinity;
  index.batches.onGone = (batch) => {
    gone.push(batch);
    wake();
  };
  const onAbort = () => wake();
  signal.addEventListener('abort', onAbort);
  await addAll(queue, index.finished, signal, () => {
    index.onFinished = (entry) => {
      queue.add(entry);
      // Mostly the next one to go is another one, and comes long after.
      if ((queue.nextDueAt(index.finished) ?? Infinity) < wakesAt) wake();
    };
  });
  while (!signal.aborted) {
    const isBehind = index.finished.size > policy.finishedTasksMax + excessMax;
    const max = isBehind ? removalsAtOnceBehind : removalsAtOnce;
    const due = picture.synced ? queue.take(Date.now(), index.finished, max) : [];
    for (const entry of await removeAll(options, due)) queue.retry(entry, Date.now() + failures.pauseMs(entry));
    await removeKeys(options, gone.splice(0, removalsAtOnce));
    if (due.length > 0 || gone.length > 0) {
      await sleep(due.length === removalsAtOnceBehind ? 0 : restMs, undefined, { signal }).catch(() => undefined);
      continue;
    }
    await new Promise<void>((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      wake = () => {
        clearTimeout(timer);
        const dueAt = picture.synced ? queue.nextDueAt(index.finished) : Date.now() + notSyncedMs;
        const delayMs = signal.aborted || gone.length > 0 ? 0 : delayUntil(dueAt);
        wakesAt = Date.now() + delayMs;
        timer = setTimeout(resolve, delayMs);
      };
      wake();
    });
    wake = asleep;
  }
  index.onFinished = null;
  index.batches.onGone = null;
  signal.removeEventListener('abort', onAbort);
}

/**
 * Those that are finished already, from the next turn on, until `signal`. A walk through a set also meets what joins it on the
 * way; `onAdded` is called in the very moment in which the walk is over, and has to see to what joins from then on.
 */
async function addAll(
  queue: RetentionQueue,
  finished: ReadonlySet<TaskEntry>,
  signal: AbortSignal,
  onAdded: () => void,
): Promise<void> {
  const walk = finished.values();
  while (!signal.aborted) {
    await nextTurn();
    for (let count = 0; count < addedAtOnce; count += 1) {
      const { done, value } = walk.next();
      if (done) return onAdded();
      queue.add(value);
    }
  }
}

/** A task that cannot be removed (somebody keeps things below it) is tried less and less often. */
class Failures {
  readonly #counts = new WeakMap<TaskEntry, number>();

  pauseMs(entry: TaskEntry): number {
    const count = (this.#counts.get(entry) ?? 0) + 1;
    this.#counts.set(entry, count);
    return Math.min(pauseAfterFailureMsMax, pauseAfterFailureMs * 2 ** count);
  }
}

/** Bounded, so that a picture that was not complete, or a clock that was set back, is looked at again. */
function delayUntil(at: number | null): number {
  return at === null ? timerMsMax : Math.min(timerMsMax, Math.max(0, at - Date.now()));
}

/** Those that could not be removed now. */
async function removeAll(
  { ledger, log, onRemoved, onFenced }: RetentionLoopOptions,
  due: TaskEntry[],
): Promise<TaskEntry[]> {
  const failed: TaskEntry[] = [];
  await Promise.all(
    due.map(async (entry) => {
      try {
        await ledger.remove(removalOf(entry));
        onRemoved(1);
      } catch (error) {
        if (!(error instanceof CoordinationError)) throw error;
        if (error.code === 'fenced') onFenced();
        log.debug({ err: error, task: entry.id }, 'a finished task could not be removed yet');
        failed.push(entry);
      }
    }),
  );
  return failed;
}

/** One that cannot be removed now stays, as it would without us: whoever uses it next removes it. */
async function removeKeys({ picture, ledger, log, onFenced }: RetentionLoopOptions, gone: KeyedBatch[]): Promise<void> {
  await Promise.all(
    gone.map(async ({ idempotencyKey, czxid, first, size }) => {
      // Of one that was made with them we may know no more than its name; then we are told again once it is gone.
      const isUnread = (place: number) => picture.index.tasks.get(taskIdOf(first + place))?.fact === 'unread';
      if (Array.from({ length: size }, (_, place) => place).some(isUnread)) return;
      try {
        await ledger.removeKey(idempotencyKey, czxid);
      } catch (error) {
        if (!(error instanceof CoordinationError)) throw error;
        if (error.code === 'fenced') onFenced();
        log.debug({ err: error }, 'the idempotency key of a batch that is gone could not be removed');
      }
    }),
  );
}

function removalOf({ id, fact, status, attempts, cancel, unblockedAt }: TaskEntry) {
  const known = fact === null || fact === 'unread' ? null : fact;
  return {
    task: id,
    czxid: known?.czxid ?? 0n,
    idempotencyKey: known?.content.kind === 'task' ? keyToRemove(known.content.brief) : null,
    children: [
      ...(status ? ['status'] : []),
      ...(cancel ? ['cancel'] : []),
      ...(unblockedAt === null ? [] : ['unblocked']),
      ...[...attempts.keys()].map((attempt) => `attempt-${attempt}`),
    ],
  };
}

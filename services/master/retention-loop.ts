// The leading master's housekeeping: removes finished tasks whose time is over, one full transaction after the other,
// never several at once, so that it does not disturb the work. Ends with `signal`.

import { CoordinationError } from '../../coordination/coordination-error.ts';
import type { TaskLedger } from '../../coordination/task-ledger.ts';
import { keyToRemove } from '../../coordination/task-removal.ts';
import { type RetentionPolicy, RetentionQueue } from '../../domain/retention.ts';
import type { TaskEntry } from '../../domain/task-entry.ts';
import type { Log } from '../../runtime/log.ts';
import type { Picture } from './picture.ts';

/** One or two transactions. */
const removalsAtOnce = 100;
/** Between looks while the picture is not complete. */
const notSyncedMs = 1000;
const pauseAfterFailureMs = 1000;
const pauseAfterFailureMsMax = 3_600_000;
const timerMsMax = 60_000;
/** Between looks at the first of a batch of which others are kept. */
const heldMs = 60_000;

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
  for (const entry of index.finished) queue.add(entry);
  let wake: () => void = () => undefined;
  index.onFinished = (entry) => {
    queue.add(entry);
    wake();
  };
  const onAbort = () => wake();
  signal.addEventListener('abort', onAbort);
  while (!signal.aborted) {
    const due = picture.synced ? queue.take(Date.now(), index.finished, removalsAtOnce) : [];
    // The first of a batch takes the key of all with it; it comes back when the others are gone, or is asked after.
    const held = new Set(due.filter((entry) => index.batches.hold(entry)));
    for (const entry of held) queue.retry(entry, Date.now() + heldMs);
    const free = due.filter((entry) => !held.has(entry));
    for (const entry of await removeAll(options, free)) queue.retry(entry, Date.now() + failures.pauseMs(entry));
    if (due.length > 0) continue;
    await new Promise<void>((resolve) => {
      let timer: NodeJS.Timeout | undefined;
      wake = () => {
        clearTimeout(timer);
        const dueAt = picture.synced ? queue.nextDueAt(index.finished) : Date.now() + notSyncedMs;
        timer = setTimeout(resolve, signal.aborted ? 0 : delayUntil(dueAt));
      };
      wake();
    });
  }
  index.onFinished = null;
  signal.removeEventListener('abort', onAbort);
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

function removalOf({ id, fact, status, attempts, cancel }: TaskEntry) {
  const known = fact === null || fact === 'unread' ? null : fact;
  return {
    task: id,
    czxid: known?.czxid ?? 0n,
    idempotencyKey: known?.content.kind === 'task' ? keyToRemove(known.content.brief) : null,
    children: [
      ...(status ? ['status'] : []),
      ...(cancel ? ['cancel'] : []),
      ...[...attempts.keys()].map((attempt) => `attempt-${attempt}`),
    ],
  };
}

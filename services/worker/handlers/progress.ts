// Progress that a handler reports, put right: percent within 0 to 100, a short message. Progress is advice for people, so
// nonsense in it is ignored and never fails a run. The sender keeps a handler that reports in a loop from flooding.

import type { Progress } from '../../../domain/task.ts';
import { cutText } from '../../../domain/well-formed.ts';
import { monotonicMs } from '../../../runtime/clock.ts';
import { handlerLimits } from './handler-limits.ts';

/** Null where `percent` is no number. */
export function readProgress(percent: unknown, message: unknown): Progress | null {
  if (typeof percent !== 'number' || Number.isNaN(percent)) return null;
  return {
    percent: Math.min(100, Math.max(0, percent)),
    message: typeof message === 'string' ? cutText(message, handlerLimits.progressMessageCharactersMax) : null,
  };
}

export interface ProgressSender {
  readonly progress: (percent: unknown, message?: unknown) => void;
  /** Nothing is sent any more. */
  readonly stop: () => void;
}

/** Calls `send` with the first progress at once, then with the newest at most each `progressIntervalMs`. */
export function progressSender(send: (progress: Progress) => void): ProgressSender {
  let newest: Progress | null = null;
  let sentAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let isStopped = false;

  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (newest === null || isStopped) return;
    sentAt = monotonicMs();
    send(newest);
    newest = null;
  };

  return {
    progress: (percent, message) => {
      newest = readProgress(percent, message) ?? newest;
      const waitMs = sentAt + handlerLimits.progressIntervalMs - monotonicMs();
      // Looked at on each call and not left to the timer, which a handler that blocks its loop never lets run.
      if (waitMs <= 0) flush();
      else timer ??= setTimeout(flush, waitMs).unref();
    },
    stop: () => {
      isStopped = true;
      clearTimeout(timer);
    },
  };
}

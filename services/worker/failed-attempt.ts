// A failed attempt as a line of the worker's log. The tree keeps code and message; what a developer needs beside them, the stack
// with its causes and the wishes of the error that were none, is here only.

import type { TaskId } from '../../domain/task.ts';
import type { Log } from '../../runtime/log.ts';
import type { FailureData } from './handlers/handler-failure.ts';
import type { AttemptResult } from './task-runner.ts';

export interface AttemptName {
  readonly task: TaskId;
  readonly type: string;
  readonly attempt: number;
}

/** Writes nothing of one that succeeded or was ended from outside. `failure` is null where the handler threw nothing. */
export function logFailedAttempt(
  log: Log,
  name: AttemptName,
  result: AttemptResult,
  failure: FailureData | null,
): void {
  if (result.kind === 'timed_out' || result.kind === 'expired') {
    const code = result.kind === 'expired' ? 'expired' : 'timeout';
    log.warn({ ...name, outcome: 'timed_out', code }, 'an attempt ran out of time');
  }
  if (result.kind !== 'failed') return;
  const { code, message } = result.error;
  const err = failure && Object.assign(new Error(message), { stack: failure.stack });
  const ignored = failure && failure.ignored.length > 0 ? { ignored: failure.ignored } : {};
  log.warn({ ...name, outcome: 'failed', code, ...ignored, err }, 'an attempt failed');
}

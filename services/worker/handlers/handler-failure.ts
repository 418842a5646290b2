// How an attempt fails: one error class for what our own handlers throw, and the reading of whatever a user's handler
// throws (contract section 3: `retryable: false` ends the task, `retryAfterMs` sets the next delay). Plain data crosses the
// border of a thread, so both directions are here.

import { limits } from '../../../domain/limits.ts';
import type { TaskErrorCode } from '../../../domain/task.ts';

export interface FailureData {
  readonly code: TaskErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
}

export interface FailureOptions {
  readonly retryable?: boolean;
  readonly retryAfterMs?: number | null;
}

export class HandlerFailure extends Error implements FailureData {
  override readonly name = 'HandlerFailure';
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;

  constructor(
    readonly code: TaskErrorCode,
    message: string,
    options: FailureOptions = {},
  ) {
    super(message);
    this.retryable = options.retryable ?? true;
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** A payload that the handler can do nothing with, however often it is tried. */
export function invalidPayload(message: string): HandlerFailure {
  return new HandlerFailure('invalid_task', message, { retryable: false });
}

/** What was thrown, as data. Never throws itself, whatever getters the thrown thing has. */
export function failureOf(thrown: unknown): FailureData {
  try {
    const code = thrown instanceof HandlerFailure ? thrown.code : 'handler_error';
    const { retryable, retryAfterMs } = Object(thrown) as { retryable?: unknown; retryAfterMs?: unknown };
    return {
      code,
      message: cutMessage(messageOf(thrown)),
      retryable: retryable !== false,
      retryAfterMs: delayOf(retryAfterMs),
    };
  } catch {
    return {
      code: 'handler_error',
      message: 'the handler threw something unreadable',
      retryable: true,
      retryAfterMs: null,
    };
  }
}

/** At most `limits.errorMessageCharactersMax` characters, and never half of a surrogate pair. */
export function cutMessage(message: string, charactersMax: number = limits.errorMessageCharactersMax): string {
  if (message.length <= charactersMax) return message;
  return message.slice(0, charactersMax).replace(/[\uD800-\uDBFF]$/, '');
}

function messageOf(thrown: unknown): string {
  const { message, name } = Object(thrown) as { message?: unknown; name?: unknown };
  if (typeof message === 'string' && message !== '') return message;
  if (thrown instanceof Error && typeof name === 'string') return name;
  if (typeof thrown === 'string' && thrown !== '') return thrown;
  return `the handler threw ${typeof thrown === 'object' ? JSON.stringify(thrown) : String(thrown)}`;
}

function delayOf(value: unknown): number | null {
  if (typeof value !== 'number' || !(value >= 0)) return null;
  return Math.min(Math.ceil(value), limits.backoffDelayMsMax);
}

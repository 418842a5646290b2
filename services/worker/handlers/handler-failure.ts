// How an attempt fails: one error class for what our own handlers throw, and the reading of whatever a user's handler
// throws (contract section 3: `retryable: false` ends the task, `retryAfterMs` sets the next delay). Plain data crosses the
// border of a thread, so both directions are here.

import { inspect } from 'node:util';
import { limits } from '../../../domain/limits.ts';
import type { TaskErrorCode } from '../../../domain/task.ts';
import { cutText } from '../../../domain/well-formed.ts';
import { failureStack } from './failure-stack.ts';
import { handlerLimits } from './handler-limits.ts';

export interface FailureData {
  readonly code: TaskErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  /** For the log, with those of its causes. */
  readonly stack: string;
  /** For the log: what the error asked for and cannot be, each a sentence. */
  readonly ignored: readonly string[];
}

export interface FailureOptions extends ErrorOptions {
  readonly retryable?: boolean;
  readonly retryAfterMs?: number | null;
  readonly ignored?: readonly string[];
}

export class HandlerFailure extends Error {
  override readonly name = 'HandlerFailure';
  readonly retryable: boolean;
  readonly retryAfterMs: number | null;
  readonly ignored: readonly string[];

  constructor(
    readonly code: TaskErrorCode,
    message: string,
    options: FailureOptions = {},
  ) {
    super(message, options);
    this.retryable = options.retryable ?? true;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.ignored = options.ignored ?? [];
  }

  /** As it was in the thread that it comes from. */
  static of({ code, message, stack, ...options }: FailureData): HandlerFailure {
    return Object.assign(new HandlerFailure(code, message, options), { stack });
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
      message: cutText(messageOf(thrown), limits.errorMessageCharactersMax),
      retryable: retryable !== false,
      retryAfterMs: delayOf(retryAfterMs),
      stack: failureStack(thrown),
      ignored: thrown instanceof HandlerFailure ? thrown.ignored : faultsOf(retryable, retryAfterMs),
    };
  } catch {
    return {
      code: 'handler_error',
      message: 'the handler threw something unreadable',
      retryable: true,
      retryAfterMs: null,
      stack: failureStack(thrown),
      ignored: [],
    };
  }
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

function faultsOf(retryable: unknown, retryAfterMs: unknown): string[] {
  const faults: string[] = [];
  if (!isMissing(retryable) && typeof retryable !== 'boolean') {
    faults.push(`retryable is ${shown(retryable)}, which is neither true nor false`);
  }
  if (!isMissing(retryAfterMs) && delayOf(retryAfterMs) === null) {
    faults.push(`retryAfterMs is ${shown(retryAfterMs)}, which is no number of milliseconds from 0 on`);
  }
  return faults;
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null;
}

function shown(value: unknown): string {
  return cutText(inspect(value, { depth: 0 }), handlerLimits.ignoredWishCharactersMax);
}

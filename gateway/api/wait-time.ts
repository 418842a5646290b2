// How long a client wants to be held: `10s`, `500ms`, `1m`, or a bare number of seconds. More than the longest wait
// counts as the longest; anything else is refused, so that `10sec` is not taken for no wait at all.

import { ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';

const amount = /^(\d+(?:\.\d+)?)(ms|s|m)?$/;
const unitMs = { ms: 1, s: 1000, m: 60_000 } as const;

/** Milliseconds, 0 to limits.waitMsMax. */
export function parseWait(text: string): number {
  const match = amount.exec(text);
  if (!match) {
    throw new ServiceError(
      'invalid-request',
      `The wait ${JSON.stringify(text.slice(0, 40))} cannot be read: give seconds, or a number with ms, s or m, such as 10s.`,
    );
  }
  const unit = (match[2] ?? 's') as keyof typeof unitMs;
  return boundedWaitMs(Number(match[1]) * unitMs[unit]);
}

export function boundedWaitMs(ms: number): number {
  return Math.min(ms, limits.waitMsMax);
}

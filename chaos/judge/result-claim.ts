// What a result says of the run that returned it: handlers that leave evidence return their token, and commands print it. Pure.

import type { Json } from '../../domain/task.ts';

export interface Claim {
  readonly token: bigint;
  readonly attempt: number;
  readonly pid: number;
}

/** Null: it says nothing of its run. */
export function claimOf(result: Json): Claim | null {
  if (typeof result !== 'object' || result === null || Array.isArray(result)) return null;
  const { token, attempt, pid, stdout } = result;
  if (typeof stdout === 'string') return claimOf(parsed(stdout));
  const isClaim =
    typeof token === 'string' && /^\d+$/.test(token) && typeof attempt === 'number' && typeof pid === 'number';
  return isClaim ? { token: BigInt(token), attempt, pid } : null;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return null; // a command that prints something else
  }
}

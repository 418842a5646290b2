// What a fault is to the one who runs it: something that begins, and can be ended.

import type { Fleet } from '../fleet/fleet.ts';
import type { PlannedFault } from './plan.ts';

export interface Broken {
  /** Ends it; resolves when all that it did is undone, and processes that it ended are being started. */
  heal(): Promise<void>;
  /** Resolves where there is nothing left of it before its time. */
  readonly spent?: Promise<void>;
}

/** Resolves when it has begun, or rejects with {@link CannotBreak}. */
export type Injection = (fleet: Fleet, targets: readonly string[], planned: PlannedFault) => Promise<Broken>;

/** This machine has no means for that fault. */
export class CannotBreak extends Error {
  override readonly name = 'CannotBreak';
}

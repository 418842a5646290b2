// What the admin endpoint and the metrics may say of the master in its present session: the picture that it keeps, and whether it
// leads right now. Leading ends with the session's lease, by our own clock: from then on another may lead and know better.

import type { Session } from '../../coordination/session.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import type { Picture } from './picture.ts';

/** A time of leading. */
export interface Term {
  readonly session: Session;
  readonly picture: Picture;
  /** Aborts when it ends. */
  readonly signal: AbortSignal;
}

export class MasterView {
  /** `host:port` of the admin endpoint, for others. */
  address = '';
  /** Complete at least once; null without a session. */
  picture: Picture | null = null;
  /** The last one. */
  term: Term | null = null;

  /** The present term; null where this master does not lead, or does not know everything at the moment. */
  leading(): Term | null {
    const { term } = this;
    return term && isLeading(term) && term.picture.synced ? term : null;
  }
}

export function isLeading({ session, signal }: Term): boolean {
  return !signal.aborted && monotonicMs() < session.trustedUntil;
}

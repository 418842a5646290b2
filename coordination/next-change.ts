// One look at a znode, and a promise for what happens to it next: for whoever waits in a loop until a znode is gone, or is
// theirs.

import type { Stat } from './jute.ts';
import type { Session } from './session.ts';

export interface NextChange {
  /** Null where there is no such znode now. */
  readonly stat: Promise<Stat | null>;
  /** Resolves at the first change after that look, and when the session or `signal` ends. */
  readonly happened: Promise<void>;
  /** To be called by whoever does not wait, or has waited. */
  cancel(): void;
}

export function nextChange(session: Session, path: string, signal: AbortSignal = session.signal): NextChange {
  let wake: () => void = () => undefined;
  const happened = new Promise<void>((resolve) => {
    wake = resolve;
  });
  const { stat, cancel } = session.watch(path, wake);
  signal.addEventListener('abort', wake);
  const stop = () => {
    cancel();
    signal.removeEventListener('abort', wake);
  };
  return { stat, happened, cancel: stop };
}

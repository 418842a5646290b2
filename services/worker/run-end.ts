// Why a run is ended from outside: a lost session ends it at once, everything else lets it end in good order first. Our own
// code looks at the cause; the AbortSignal of the run gives it to the handler as an Error, so that a handler which passes
// its signal on (to fetch, to a timer) fails with something readable.

import type { WithdrawReason } from '../../domain/task.ts';

export type RunEndCause =
  | { readonly kind: 'withdrawn'; readonly reason: WithdrawReason }
  | { readonly kind: 'session_lost' }
  | { readonly kind: 'shutdown' }
  /** A newer version of us wrote the assignment: the task is for a worker of that. */
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'timed_out'; readonly timeoutMs: number }
  /** The task has passed its deadline. */
  | { readonly kind: 'expired' };

export class RunEnd extends Error {
  /** `AbortError`, or `TimeoutError` as web interfaces call it; handlers may look at it. */
  override readonly name: string;

  constructor(readonly why: RunEndCause) {
    super(describe(why));
    this.name = why.kind === 'timed_out' || why.kind === 'expired' ? 'TimeoutError' : 'AbortError';
  }
}

function describe(why: RunEndCause): string {
  switch (why.kind) {
    case 'withdrawn':
      return why.reason === 'cancelled' ? 'the task was cancelled' : 'the task ran out of time and was withdrawn';
    case 'expired':
      return 'the deadline of the task has passed';
    case 'session_lost':
      return "the worker's session with ZooKeeper was lost";
    case 'shutdown':
      return 'the worker is stopping';
    case 'unreadable':
      return 'a newer version of Taskkeeper wrote the assignment';
    case 'timed_out':
      return `the attempt took longer than its timeout of ${why.timeoutMs} ms`;
  }
}

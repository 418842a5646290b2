// One gateway over one of its two interfaces, as the traffic sees it: requests, and streams of one task.

import type { SeenTask } from '../record.ts';
import type { Reply } from './outcome.ts';
import type { TrafficRequest } from './request.ts';

export interface CallOptions {
  /** From the request to the end of the answer; a wait that is asked for comes on top. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** What can be said in two ways is said in the other. */
  readonly isOtherWay: boolean;
}

export interface StreamOptions {
  readonly signal: AbortSignal;
  /** The stream goes on after this event. */
  readonly lastEventId: string | null;
  /** Null: what comes begins anew. False leaves the stream. */
  readonly onChange: (change: { readonly eventId: string; readonly task: SeenTask } | null) => boolean;
}

export interface Face {
  readonly name: 'http' | 'grpc';
  call(request: TrafficRequest, options: CallOptions): Promise<Reply>;
  /** An answer without tasks: the stream came to its end. `none`: it broke, or was left. */
  watch(id: string, options: StreamOptions): Promise<Reply>;
}

export function waitOf(request: TrafficRequest): number {
  return 'waitMs' in request ? (request.waitMs ?? 0) : 0;
}

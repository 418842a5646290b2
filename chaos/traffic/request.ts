// What the traffic asks for: the calls of the record, with all that is needed to send them. The same request says the same over HTTP and gRPC.

import type { CallRequest, SubmittedTask } from '../record.ts';

export type TrafficRequest = Exclude<CallRequest, { operation: 'other' | 'submit' }> | SubmitRequest | OtherRequest;

export interface SubmitRequest {
  readonly operation: 'submit';
  readonly key: string | null;
  readonly tasks: readonly TrafficTask[];
  readonly batch: boolean;
  readonly waitMs: number | null;
}

/** What judging does not need to know is sent, and recorded, too. */
export interface TrafficTask extends SubmittedTask {
  readonly backoff?: { readonly type: 'fixed'; readonly delayMs: number; readonly jitter: boolean };
  readonly afterFailure?: 'fail' | 'run' | 'wait';
}

export type OtherRequest = { readonly operation: 'other' } & (
  | { readonly what: 'list'; readonly query: ListQuery }
  | { readonly what: 'stats' | 'workers' | 'queues' | 'schedules' }
  | { readonly what: 'explain'; readonly id: string }
  | { readonly what: 'put-queue'; readonly name: string; readonly settings: object }
  | { readonly what: 'put-schedule'; readonly name: string; readonly definition: object }
  | { readonly what: 'delete-schedule'; readonly name: string }
);

export interface ListQuery {
  readonly state?: string;
  readonly queue?: string;
  readonly type?: string;
  readonly limit?: number;
  readonly cursor?: string;
}

const readOnly = new Set(['get', 'watch', 'list', 'stats', 'workers', 'queues', 'schedules', 'explain']);

/** False for what changes something. */
export function onlyReads(request: TrafficRequest): boolean {
  return readOnly.has(request.operation === 'other' ? request.what : request.operation);
}

/** The spec of a task as both faces have it in JSON: the marker is a label. */
export function specOfTask({ marker, ...spec }: TrafficTask): object {
  return { ...spec, labels: { marker } };
}

export function isFinal(state: string): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'cancelled';
}

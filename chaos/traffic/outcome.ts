// What a reply means for the record: done, refused, or unknown. Each operation has its closed list of refusals; any other is one that
// nothing in this traffic deserves, and is marked as wrong. Pure.

import { type CallOutcome, type SeenTask, wrongRefusal } from '../record.ts';
import { onlyReads, type TrafficRequest } from './request.ts';

export type Reply =
  | {
      readonly kind: 'answer';
      readonly tasks: readonly SeenTask[];
      readonly created?: boolean;
      /** Of a list. */
      readonly nextCursor?: string;
    }
  /** `reason` is the last part of the problem's type, or ErrorInfo's. */
  | { readonly kind: 'refusal'; readonly reason: string }
  /** No answer, or not all of it. `mayBeSent` false: certainly nothing of the request has left. */
  | { readonly kind: 'none'; readonly mayBeSent: boolean; readonly why: string }
  /** An answer that the interface does not have. */
  | { readonly kind: 'nonsense'; readonly what: string };

/** From a system that is being broken, or that is asked for too much. */
const always = ['coordination-unavailable', 'shutting-down', 'too-many-connections', 'request-timeout'];
const submits = ['queue-full', 'dependency-not-found'];

const refusals: Readonly<Record<string, readonly string[]>> = {
  submit: [...submits, 'too-many-waits'],
  retry: [...submits, 'task-not-found', 'task-not-final', 'task-not-retryable'],
  get: ['task-not-found', 'too-many-waits'],
  watch: ['task-not-found', 'too-many-waits'],
  cancel: ['task-not-found', 'task-already-final'],
  delete: ['task-not-found', 'task-not-final'],
  list: ['no-leader'],
  stats: ['no-leader'],
  workers: ['no-leader'],
  queues: ['no-leader'],
  explain: ['task-not-found'],
  'delete-schedule': ['schedule-not-found'],
};

/** The next one who asks may hear something else. */
export function mayPass(reply: Reply): boolean {
  return reply.kind === 'none' || (reply.kind === 'refusal' && always.includes(reply.reason));
}

export function outcomeOf(request: TrafficRequest, reply: Reply): CallOutcome {
  if (reply.kind === 'answer') {
    const { tasks, created } = reply;
    return { is: 'yes', tasks, ...(created !== undefined && { created }) };
  }
  if (reply.kind === 'nonsense') return { is: 'no', reason: `${wrongRefusal}${reply.what}` };
  if (reply.kind === 'none') {
    return { is: reply.mayBeSent && !onlyReads(request) ? 'unknown' : 'no', reason: reply.why };
  }
  const { reason } = reply;
  if (reason === 'outcome-unknown' && !onlyReads(request)) return { is: 'unknown', reason };
  const name = request.operation === 'other' ? request.what : request.operation;
  const isExpected = always.includes(reason) || refusals[name]?.includes(reason);
  return { is: 'no', reason: isExpected ? reason : `${wrongRefusal}${reason}` };
}

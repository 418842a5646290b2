// Who asked for what, and was told what: the calls of the record by the tasks and the keys that they are about. Pure.

import type { Call, CallOutcome, CallRequest, SeenTask, SubmittedTask } from '../record.ts';
import { addTo } from './group-by.ts';

type CallOf<O extends CallRequest['operation']> = Call & {
  readonly request: CallRequest & { readonly operation: O };
};
export type Submit = CallOf<'submit'>;
export type Retry = CallOf<'retry'>;
export type Yes = CallOutcome & { readonly is: 'yes' };

/** A task of one submit. */
export interface AskedTask {
  readonly call: Submit;
  /** Its place in the submit. */
  readonly place: number;
  readonly spec: SubmittedTask;
}

/** The first answer that said that the task is there. */
export interface Acknowledged {
  readonly call: Submit | Retry;
  readonly place: number;
  readonly seen: SeenTask;
}

export class Requests {
  readonly submits: Submit[] = [];
  readonly retries: Retry[] = [];
  readonly byMarker = new Map<string, AskedTask[]>();
  /** Calls that make tasks with the same idempotency key. */
  readonly byKey = new Map<string, (Submit | Retry)[]>();
  readonly retriesOf = new Map<string, Retry[]>();
  readonly cancelsOf = new Map<string, CallOf<'cancel'>[]>();
  readonly deletesOf = new Map<string, CallOf<'delete'>[]>();
  /** By id. */
  readonly acknowledged = new Map<string, Acknowledged>();

  constructor(calls: readonly Call[]) {
    for (const call of calls) this.#add(call);
  }

  /** It may have been removed by a client. */
  mayBeDeleted(id: string): boolean {
    return this.deletesOf.get(id)?.some(({ outcome }) => outcome.is !== 'no') ?? false;
  }

  #add(call: Call): void {
    if (isOf(call, 'submit')) this.#addSubmit(call);
    else if (isOf(call, 'retry')) {
      this.retries.push(call);
      addTo(this.retriesOf, call.request.id, call);
      this.#addMaking(call);
    } else if (isOf(call, 'cancel')) addTo(this.cancelsOf, call.request.id, call);
    else if (isOf(call, 'delete')) addTo(this.deletesOf, call.request.id, call);
  }

  #addSubmit(call: Submit): void {
    this.submits.push(call);
    for (const [place, spec] of call.request.tasks.entries()) addTo(this.byMarker, spec.marker, { call, place, spec });
    this.#addMaking(call);
  }

  #addMaking(call: Submit | Retry): void {
    const { request, outcome } = call;
    if (request.key !== null) addTo(this.byKey, request.key, call);
    if (outcome.is !== 'yes') return;
    for (const [place, seen] of outcome.tasks.entries()) {
      const known = this.acknowledged.get(seen.id);
      if (!known || call.to < known.call.to) this.acknowledged.set(seen.id, { call, place, seen });
    }
  }
}

export function isOf<O extends CallRequest['operation']>(call: Call, operation: O): call is CallOf<O> {
  return call.request.operation === operation;
}

/** Ids that it was answered; none where it was not done. */
export function answeredIds({ outcome }: Call): string[] {
  return outcome.is === 'yes' ? outcome.tasks.map(({ id }) => id) : [];
}

// What the traffic remembers of its tasks: those that were acknowledged and have not been seen final, and a few of late that others may
// come across. All else is in the record.

import type { Random } from '../random.ts';
import type { CallOutcome, SeenTask } from '../record.ts';
import { isFinal, type TrafficRequest } from './request.ts';

const recentMax = 200;

export class KnownTasks {
  /** In the order of their acknowledgement. */
  readonly #open = new Set<string>();
  readonly #recent: string[] = [];

  /** Acknowledged, and not known to be final. */
  get open(): readonly string[] {
    return [...this.#open];
  }

  take(request: TrafficRequest, outcome: CallOutcome): void {
    if (outcome.is === 'yes') for (const task of outcome.tasks) this.#see(request, task);
    // Deleted, by somebody else or in an answer that was lost.
    const isGone = outcome.is === 'no' && outcome.reason === 'task-not-found';
    if ('id' in request && request.operation !== 'other' && (isGone || isDeleted(request, outcome))) {
      this.#open.delete(request.id);
    }
  }

  /** Null as long as there is none. */
  pickRecent(random: Random): string | null {
    return this.#recent.length === 0 ? null : random.pick(this.#recent);
  }

  #see({ operation }: TrafficRequest, { id, state }: SeenTask): void {
    if (isFinal(state)) this.#open.delete(id);
    else if (operation === 'submit' || operation === 'retry') this.#open.add(id);
    if (operation !== 'submit') return;
    this.#recent.push(id);
    if (this.#recent.length > recentMax) this.#recent.shift();
  }
}

function isDeleted({ operation }: TrafficRequest, { is }: CallOutcome): boolean {
  return operation === 'delete' && is === 'yes';
}

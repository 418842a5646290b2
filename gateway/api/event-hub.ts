// State changes of all tasks, for everybody who wants them: one stream from the leading master for all who listen here,
// kept in a ring, so that a listener reads at its own pace, and one that comes back goes on where it was. A listener that
// fell out of the ring, or that the next master cannot tell what it missed, is told so: `reset`. The stream lives as
// long as somebody listens, and a while longer.

import { setTimeout as pause } from 'node:timers/promises';
import { ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import type { TaskEvent } from '../../domain/master-index.ts';
import { aborted } from '../../runtime/aborted.ts';
import type { MasterIndex } from './master-index.ts';

export type EventChange =
  | { readonly kind: 'event'; readonly eventId: string; readonly event: TaskEvent }
  /** Events may be missing here. */
  | { readonly kind: 'reset' };

const lingerMs = 30_000;
const reconnectMs = 250;

export class EventHub {
  readonly #index: MasterIndex;
  /** The ring: `#kept[i]` has the number `#first + i`. */
  #kept: EventChange[] = [];
  #first = 0;
  /** The event before the ring's first: who has seen it has missed nothing. */
  #base: string | null = null;
  #listeners = 0;
  readonly #sleeping = new Set<() => void>();
  #upstream: { readonly started: Promise<void>; readonly stop: AbortController } | null = null;
  /** The leading master is heard. */
  #connected = false;
  #linger: NodeJS.Timeout | undefined;

  constructor(index: MasterIndex) {
    this.#index = index;
  }

  /** Events after `lastEventId`, or from now on; ends with `signal`. Throws 'no-leader' where no master can be heard. */
  async subscribe(lastEventId: string | null, signal: AbortSignal): Promise<AsyncIterable<EventChange>> {
    this.#listeners += 1;
    clearTimeout(this.#linger);
    try {
      this.#upstream ??= this.#start(lastEventId);
      await Promise.race([this.#upstream.started, aborted(signal)]);
      if (!signal.aborted && !this.#connected) throw noLeader();
    } catch (error) {
      this.#leave();
      throw error;
    }
    return this.#read(this.#placeAfter(lastEventId), signal);
  }

  close(): void {
    clearTimeout(this.#linger);
    this.#upstream?.stop.abort();
    this.#upstream = null;
    this.#wake();
  }

  /** Null: what came after it is not known. */
  #placeAfter(lastEventId: string | null): number | null {
    if (lastEventId === null) return this.#first + this.#kept.length;
    if (lastEventId === this.#base) return this.#first;
    const at = this.#kept.findLastIndex((change) => change.kind === 'event' && change.eventId === lastEventId);
    return at < 0 ? null : this.#first + at + 1;
  }

  async *#read(place: number | null, signal: AbortSignal): AsyncIterable<EventChange> {
    const wakeOnAbort = () => this.#wake();
    signal.addEventListener('abort', wakeOnAbort);
    try {
      let next = place ?? this.#first + this.#kept.length;
      if (place === null) yield { kind: 'reset' };
      while (!signal.aborted && this.#upstream !== null) {
        if (next < this.#first) {
          next = this.#first + this.#kept.length;
          yield { kind: 'reset' };
          continue;
        }
        const change = this.#kept[next - this.#first];
        if (change) {
          next += 1;
          yield change;
        } else {
          await new Promise<void>((resolve) => this.#sleeping.add(resolve));
        }
      }
    } finally {
      signal.removeEventListener('abort', wakeOnAbort);
      this.#leave();
    }
  }

  #leave(): void {
    this.#listeners -= 1;
    if (this.#listeners > 0) return;
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => this.close(), lingerMs).unref();
  }

  #wake(): void {
    for (const wake of this.#sleeping) wake();
    this.#sleeping.clear();
  }

  #start(after: string | null): { started: Promise<void>; stop: AbortController } {
    this.#first += this.#kept.length;
    this.#kept = [];
    this.#base = null;
    const stop = new AbortController();
    const started = new Promise<void>((resolve, reject) => {
      void this.#run(after, stop.signal, resolve, (error) => {
        if (this.#upstream?.stop === stop) this.#upstream = null;
        reject(error as Error);
      });
    });
    return { started, stop };
  }

  /** Follows one leader after the other. Only the first failure, before anything was heard, is told. */
  async #run(
    after: string | null,
    signal: AbortSignal,
    onStarted: () => void,
    onNoStart: (error: unknown) => void,
  ): Promise<void> {
    let last = after;
    let started = false;
    while (!signal.aborted) {
      try {
        for await (const line of this.#index.events(last, signal)) {
          if (line.kind === 'start') this.#onStart(line.resumed ? last : null, started);
          if (line.kind === 'start') onStarted();
          started = true;
          if (line.kind !== 'event') continue;
          last = line.eventId;
          this.#push({ kind: 'event', eventId: line.eventId, event: line.event });
        }
      } catch (error) {
        if (!started) return onNoStart(error);
        if (!(error instanceof ServiceError)) throw error;
      } finally {
        this.#connected = false;
      }
      if (!signal.aborted) await pause(reconnectMs);
    }
    if (!started) onNoStart(noLeader());
  }

  /** `resumedAfter`: the event that what follows comes right after; null where that is not known. */
  #onStart(resumedAfter: string | null, isReconnect: boolean): void {
    this.#connected = true;
    if (!isReconnect) this.#base = resumedAfter;
    // Without any event heard before, a new master cannot be asked what came since.
    else if (resumedAfter === null) this.#push({ kind: 'reset' });
  }

  #push(change: EventChange): void {
    this.#kept.push(change);
    if (this.#kept.length > limits.eventsKept * 1.5) {
      const dropped = this.#kept.splice(0, this.#kept.length - limits.eventsKept);
      this.#first += dropped.length;
      const newest = dropped.at(-1);
      this.#base = newest?.kind === 'event' ? newest.eventId : null;
    }
    this.#wake();
  }
}

function noLeader(): ServiceError {
  const message = 'No master leads at the moment, so there is nobody to tell of events; single tasks can be watched.';
  return new ServiceError('no-leader', message);
}

// The last so many events, each with an id, so that a reader can come back and go on where it was, or is told that it cannot.
// What is sent of an event, the same to all readers, is made once, when the first of them comes by: mostly nobody listens. Pure.

import type { EventLine, TaskEvent } from './master-index.ts';

export class EventRing {
  readonly #name: string;
  readonly #kept: number;
  /** Each as it is sent, or as it happened where nobody has asked for it yet. */
  readonly #lines: (TaskEvent | string)[] = [];
  /** Number of the event that comes next; they count from 1. */
  #next = 1;

  /** `name` must be another one for each ring: numbers of one say nothing about another. */
  constructor(name: string, kept: number) {
    this.#name = name;
    this.#kept = kept;
  }

  /** Where a reader begins that only wants what comes from now on. */
  get end(): number {
    return this.#next;
  }

  push(event: TaskEvent): void {
    this.#lines[this.#next % this.#kept] = event;
    this.#next += 1;
  }

  /** Where to go on after the event `id`; null where what came after it is not (all) kept. */
  placeAfter(id: string): number | null {
    const [, name, number] = /^(.*)-(\d{1,15})$/.exec(id) ?? [];
    if (name !== this.#name) return null;
    const place = Number(number) + 1;
    return place >= this.#first && place <= this.#next ? place : null;
  }

  /** What comes from `place` on, one line each and at most `max` of them, and the place after it; null where it is not kept any more. */
  from(place: number, max: number): { text: string; next: number } | null {
    if (place < this.#first) return null;
    const next = Math.min(this.#next, place + max);
    let text = '';
    for (let number = place; number < next; number += 1) text += this.#textOf(number);
    return { text, next };
  }

  #textOf(number: number): string {
    const line = this.#lines[number % this.#kept] ?? '';
    if (typeof line === 'string') return line;
    const text = eventLineText({ kind: 'event', eventId: `${this.#name}-${number}`, event: line });
    this.#lines[number % this.#kept] = text;
    return text;
  }

  get #first(): number {
    return Math.max(1, this.#next - this.#kept);
  }
}

/** One line of the answer of `events`. */
export function eventLineText(line: EventLine): string {
  return `${JSON.stringify(line)}\n`;
}

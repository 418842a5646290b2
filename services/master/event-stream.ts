// One reader of the leading master's events: what it has missed, where that is still kept, and then what happens, until the
// master stops leading. Lines that come about together go out together. A reader that does not read is cut off: it comes back
// and goes on where it was, or learns that it cannot.

import type { ServerResponse } from 'node:http';
import { eventLineText } from '../../domain/event-ring.ts';
import { limits } from '../../domain/limits.ts';
import { isLeading, type Term } from './master-view.ts';

export const eventStreamHeaders = { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' } as const;

/** Resolves when the stream is over, for whatever reason. It says that it is alive when it has said nothing for `aliveMs`. */
export function streamEvents(
  term: Term,
  after: string | null,
  response: ServerResponse,
  aliveMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const stream = new EventStream(term, after, response, aliveMs);
    response.once('close', () => {
      stream.close();
      resolve();
    });
  });
}

class EventStream {
  readonly #term: Term;
  readonly #response: ServerResponse;
  readonly #alive: NodeJS.Timeout;
  readonly #stopListening: () => void;
  #place: number;
  #scheduled = false;

  constructor(term: Term, after: string | null, response: ServerResponse, aliveMs: number) {
    const { picture, signal } = term;
    this.#term = term;
    this.#response = response;
    const place = after === null ? picture.events.end : picture.events.placeAfter(after);
    this.#place = place ?? picture.events.end;
    this.#alive = setTimeout(() => this.#send(eventLineText({ kind: 'alive' })), aliveMs);
    this.#stopListening = picture.onEvent(() => this.#schedule());
    signal.addEventListener('abort', this.#end);
    response.writeHead(200, eventStreamHeaders);
    this.#send(eventLineText({ kind: 'start', resumed: place !== null }));
    this.#schedule();
  }

  close(): void {
    clearTimeout(this.#alive);
    this.#stopListening();
    this.#term.signal.removeEventListener('abort', this.#end);
  }

  readonly #end = (): void => {
    this.close();
    this.#response.end();
  };

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#sendNews();
    });
  }

  #sendNews(): void {
    const { events } = this.#term.picture;
    const text = events.from(this.#place);
    this.#place = events.end;
    if (text === null) this.#response.destroy();
    else if (text !== '') this.#send(text);
  }

  #send(text: string): void {
    if (this.#response.writableEnded || this.#response.destroyed) return;
    if (!isLeading(this.#term)) return this.#end();
    this.#response.write(text);
    if (this.#response.writableLength > limits.masterEventBytesMax) this.#response.destroy();
    else this.#alive.refresh();
  }
}

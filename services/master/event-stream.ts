// One reader of the leading master's events: what it has missed, where that is still kept, and then what happens, until the
// master stops leading. Lines that come about together go out together, and only as fast as they are read: what waits is kept
// for all readers once, in the ring. A reader that the ring has overtaken is cut off; it comes back and learns that it cannot
// go on where it was.

import { setMaxListeners } from 'node:events';
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
    stream.begin();
  });
}

class EventStream {
  readonly #term: Term;
  readonly #response: ServerResponse;
  readonly #alive: NodeJS.Timeout;
  readonly #resumed: boolean;
  #stopListening = (): void => undefined;
  /** Of the event that is sent next. */
  #place: number;
  #scheduled = false;
  /** The reader has not yet taken what it was sent. */
  #waits = false;

  constructor(term: Term, after: string | null, response: ServerResponse, aliveMs: number) {
    const { events } = term.picture;
    this.#term = term;
    this.#response = response;
    const place = after === null ? events.end : events.placeAfter(after);
    this.#resumed = place !== null;
    this.#place = place ?? events.end;
    this.#alive = setTimeout(() => this.#sendAlive(), aliveMs);
  }

  begin(): void {
    this.#stopListening = this.#term.picture.onEvent(() => this.#schedule());
    setMaxListeners(0, this.#term.signal); // one for each stream, of which there are as many as the limits allow
    this.#term.signal.addEventListener('abort', this.#end);
    this.#response.on('drain', () => {
      this.#waits = false;
      this.#sendNews();
    });
    this.#response.writeHead(200, eventStreamHeaders);
    this.#send(eventLineText({ kind: 'start', resumed: this.#resumed }));
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
    for (;;) {
      const news = events.from(this.#place, this.#waits ? 0 : limits.masterEventLinesAtOnce);
      if (news === null) this.#response.destroy();
      if (news === null || news.text === '' || !this.#send(news.text)) return;
      this.#place = news.next;
    }
  }

  /** To whoever has not read what it was sent, nothing need be said. */
  #sendAlive(): void {
    if (!isLeading(this.#term)) this.#end();
    else if (this.#waits) this.#alive.refresh();
    else this.#send(eventLineText({ kind: 'alive' }));
  }

  /** False: it is over. */
  #send(text: string): boolean {
    if (this.#response.writableEnded || this.#response.destroyed) return false;
    if (!isLeading(this.#term)) {
      this.#end();
      return false;
    }
    this.#waits = !this.#response.write(text);
    this.#alive.refresh();
    return true;
  }
}

// The answers that are not over yet, by connection: what happens to a connection concerns all of them, also those of requests that
// were sent without waiting for the answer before (pipelining), of which Node itself says nothing.

import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { InProgress } from '../in-progress.ts';

export class OpenAnswers {
  readonly #ofConnection = new Map<Duplex, Set<ServerResponse>>();
  readonly #inProgress = new InProgress();
  readonly #ending = new WeakSet<ServerResponse>();
  #isClosing = false;

  /** To be made before anything else listens to the server. */
  constructor(server: Server) {
    server.on('connection', (socket) => this.#follow(socket));
    server.on('request', (request, response) => this.#add(request.socket, response));
  }

  /** How many there are on a connection. */
  count(socket: Duplex): number {
    return this.#ofConnection.get(socket)?.size ?? 0;
  }

  /** True while one of them is under way, or is owed to a request that has arrived as a whole: nothing else may be sent in its place. */
  isOwed(socket: Duplex): boolean {
    return [...(this.#ofConnection.get(socket) ?? [])].some(
      ({ headersSent, writableEnded, req }) => !writableEnded && (headersSent || req.complete),
    );
  }

  /** From now on the last answer of each connection ends it, or clients would go on with it. Resolves when none is open, or after `withinMs`. */
  close(withinMs: number): Promise<void> {
    this.#isClosing = true;
    for (const answers of this.#ofConnection.values()) this.#endWithLast(answers);
    return this.#inProgress.none(withinMs);
  }

  /** Those before it were to end the connection, until it came. */
  #endWithLast(answers: ReadonlySet<ServerResponse>): void {
    const last = [...answers].at(-1);
    for (const answer of answers) if (this.#ending.delete(answer)) answer.shouldKeepAlive = true;
    if (!last?.shouldKeepAlive) return;
    last.shouldKeepAlive = false;
    this.#ending.add(last);
  }

  /**
   * Node tells only the answer that is being sent that its connection is gone; those behind it would never hear, and
   * whatever waits or streams for them would go on for ever.
   */
  #follow(socket: Duplex): void {
    const answers = new Set<ServerResponse>();
    this.#ofConnection.set(socket, answers);
    socket.once('close', () => {
      this.#ofConnection.delete(socket);
      const neverSent = [...answers].filter((answer) => answer.socket === null);
      for (const answer of neverSent) answer.destroy().emit('close');
    });
  }

  #add(socket: Duplex, answer: ServerResponse): void {
    const answers = this.#ofConnection.get(socket);
    answers?.add(answer);
    this.#inProgress.begin();
    if (this.#isClosing && answers) this.#endWithLast(answers);
    answer.once('close', () => {
      answers?.delete(answer);
      this.#inProgress.end();
    });
  }
}

// One keep-alive connection of a load driver, one request at a time. As little of HTTP as our own servers speak (a status
// line, Content-Length, a body), so that the driver takes as little as possible of the processors that it shares with what it measures.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  /** Status line and headers. */
  readonly head: string;
  readonly body: Buffer;
}

const headEnd = '\r\n\r\n';

export class HttpConnection {
  #received: Buffer = Buffer.alloc(0);
  #resolve: ((answer: HttpAnswer) => void) | null = null;
  #reject: ((error: Error) => void) | null = null;
  #failure: Error | null = null;

  private constructor(
    private readonly socket: Socket,
    private readonly host: string,
  ) {
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  static async open(port: number): Promise<HttpConnection> {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    return new HttpConnection(socket, `127.0.0.1:${port}`);
  }

  /** `body` is JSON. */
  request(method: 'GET' | 'POST', path: string, body = ''): Promise<HttpAnswer> {
    const head = `${method} ${path} HTTP/1.1\r\nHost: ${this.host}\r\n`;
    const content =
      body === '' ? '' : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#resolve = resolve;
      this.#reject = reject;
      this.socket.write(`${head}${content}\r\n${body}`);
    });
  }

  close(): void {
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const end = this.#received.indexOf(headEnd);
    if (end < 0) return;
    const head = this.#received.toString('latin1', 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) return this.#fail(new Error(`an answer without Content-Length: ${head}`));
    const from = end + headEnd.length;
    const to = from + Number(length);
    if (this.#received.length < to) return;
    const body = this.#received.subarray(from, to);
    this.#received = Buffer.alloc(0);
    const resolve = this.#resolve;
    this.#resolve = null;
    resolve?.({ status: Number(head.slice(9, 12)), head, body });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#resolve = null;
    this.#reject?.(error);
  }
}

// HTTP requests that a well-behaved client would not send: the path and headers go out as they are, each over a connection of
// its own.

import { type IncomingHttpHeaders, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { brotliDecompressSync, gunzipSync, inflateSync } from 'node:zlib';

export interface RawRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Null where the connection ended without an answer. `streamMsMax`: an answer that goes on for longer is cut there. */
export function rawRequest(
  url: string,
  { method, path, headers = {}, body }: RawRequest,
  streamMsMax = 20_000,
): Promise<RawAnswer | null> {
  const { hostname, port } = new URL(url);
  // Node itself would not tell the length of a DELETE.
  const framed = { ...headers, ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }) };
  return new Promise((resolve) => {
    const sending = request({ hostname, port, method, path, headers: framed, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      const done = () => {
        clearTimeout(timer);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: textOf(Buffer.concat(chunks), response.headers),
        });
      };
      const timer = setTimeout(() => {
        done();
        sending.destroy();
      }, streamMsMax);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', done);
      response.on('error', done);
    });
    sending.on('error', () => resolve(null));
    sending.end(body);
  });
}

const decoders: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  deflate: inflateSync,
};

function textOf(bytes: Buffer, headers: IncomingHttpHeaders): string {
  const decode = decoders[headers['content-encoding'] ?? ''];
  return (decode && bytes.length > 0 ? decode(bytes) : bytes).toString();
}

/** Sends the bytes, latin1, over a connection of its own and reads until the other side hangs up. */
export function rawExchange(
  port: number,
  bytes: string,
  then: (socket: Socket) => void = () => undefined,
): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      answer += text;
    });
    socket.on('error', () => undefined);
    socket.once('close', () => resolve(answer));
    socket.write(bytes, 'latin1');
    then(socket);
  });
}

// Clients that ask and do not read the answer. Their connections stay open, and over gRPC their side even goes on answering
// pings, as that of a program does which is stuck and not dead.

import { once } from 'node:events';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';

export interface DeafHttpInput {
  readonly port: number;
  readonly connections: number;
  readonly path: string;
  /** On each connection, one behind the other. */
  readonly requests: number;
}

export interface DeafGrpcInput {
  readonly address: string;
  readonly connections: number;
  readonly callsPerConnection: number;
  /** Of the task service. */
  readonly method: string;
  /** The message of the request as the bytes of protobuf, base64. */
  readonly message: string;
}

/** Connections that the gateway has ended, and those that are still there. */
export interface DeafState {
  readonly open: number;
  readonly ended: number;
}

const connectsAtOnce = 200;

let sockets: Socket[] = [];
let sessions: ClientHttp2Session[] = [];

/** Resolves when all have asked. */
export async function openDeafHttp({ port, connections, path, requests }: DeafHttpInput): Promise<void> {
  const ask = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`.repeat(requests);
  for (let opened = 0; opened < connections; opened += connectsAtOnce) {
    const some = Array.from({ length: Math.min(connectsAtOnce, connections - opened) }, () => {
      const socket = connect(port, '127.0.0.1').pause();
      socket.on('error', () => undefined); // that it was ended is what is looked for
      sockets.push(socket);
      return once(socket, 'connect').then(() => socket.write(ask));
    });
    await Promise.all(some);
  }
}

/** Resolves when all calls have their headers, or have ended. */
export async function openDeafGrpc({ address, connections, ...calls }: DeafGrpcInput): Promise<void> {
  const asked: Promise<unknown>[] = [];
  for (let i = 0; i < connections; i += 1) {
    const session = connectHttp2(`http://${address}`);
    session.on('error', () => undefined);
    sessions.push(session);
    asked.push(...Array.from({ length: calls.callsPerConnection }, () => deafCall(session, calls)));
  }
  await Promise.all(asked);
}

export async function deafState(): Promise<DeafState> {
  const open = [...sockets, ...sessions].filter(({ destroyed }) => !destroyed).length;
  return { open, ended: sockets.length + sessions.length - open };
}

export async function dropDeaf(): Promise<void> {
  for (const connection of [...sockets, ...sessions]) connection.destroy();
  sockets = [];
  sessions = [];
}

function deafCall(session: ClientHttp2Session, { method, message }: Omit<DeafGrpcInput, 'address' | 'connections'>) {
  const stream = session.request({
    ':method': 'POST',
    ':path': `/taskkeeper.v1.TaskService/${method}`,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.on('error', () => undefined);
  const body = Buffer.from(message, 'base64');
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  stream.end(Buffer.concat([prefix, body]));
  return new Promise((resolve) => stream.once('response', resolve).once('close', resolve));
}

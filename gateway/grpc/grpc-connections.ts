// The connections of the gRPC face. grpc-js can listen by itself, but then nothing bounds their number, and its forced
// shutdown waits for clients to close their end, which one that has stopped reading never does. So the sockets are ours,
// and grpc-js is handed each of them.

import { createServer, type Server, type Socket } from 'node:net';
import { type ConnectionInjector, type Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { listening } from '../listening.ts';

export interface GrpcAddress {
  readonly host: string;
  /** 0: any. */
  readonly port: number;
  readonly connectionsMax: number;
  readonly onConnectionRefused: () => void;
}

export class GrpcConnections {
  readonly #listener: Server;
  readonly #open = new Set<Socket>();

  constructor(server: GrpcServer, { connectionsMax, onConnectionRefused }: GrpcAddress) {
    const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#listener = createServer((socket) => this.#accept(socket, injector));
    this.#listener.maxConnections = connectionsMax;
    this.#listener.on('drop', onConnectionRefused);
  }

  /** Resolves with `host:port` as bound. */
  listen({ host, port }: GrpcAddress): Promise<string> {
    return listening(this.#listener, host, port, 'GRPC_PORT');
  }

  /** No new ones. */
  refuse(): void {
    this.#listener.close();
  }

  /** Whatever is still open. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy();
  }

  /** That of one peer, by grpc-js's name for it. */
  end(peer: string): void {
    for (const socket of this.#open) if (`${socket.remoteAddress}:${socket.remotePort}` === peer) socket.destroy();
  }

  #accept(socket: Socket, injector: ConnectionInjector): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
    injector.injectConnection(socket);
  }
}

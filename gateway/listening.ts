// Binding a port, for both faces: either it is bound, or the error says what to change.

import type { AddressInfo, Server } from 'node:net';
import { listenError } from './listen-error.ts';

/** Resolves with `host:port` as bound. `port` 0: any; `portVariable` is the environment variable that sets it. */
export function listening(server: Server, host: string, port: number, portVariable: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(listenError(error, host, port, portVariable));
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      resolve(addressOf(server.address() as AddressInfo));
    });
  });
}

function addressOf({ address, family, port }: AddressInfo): string {
  return family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
}

// The link from one server of the ensemble to another, over which it follows it as its leader; it can be made silent, for any
// bytes. What is sent meanwhile waits in the sockets, as behind a link that drops all packets, and arrives when that is over.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { onCleanup, type TestScope } from '../../test/support/cleanup.ts';

export interface PeerLink {
  /** What the near server is told to be the far one's. */
  readonly port: number;
  silence(): void;
  heal(): void;
}

export async function startPeerLink(scope: TestScope, targetPort: number): Promise<PeerLink> {
  const sockets = new Set<Socket>();
  let silent = false;
  const passOn = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('data', (bytes) => to.write(bytes));
    from.on('error', () => undefined); // 'close' follows
    from.on('close', () => {
      sockets.delete(from);
      to.destroySoon(); // what was sent before is passed on
    });
    if (silent) from.pause();
  };
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    passOn(near, far);
    passOn(far, near);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onCleanup(scope, () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    port: (server.address() as { port: number }).port,
    silence: () => {
      silent = true;
      for (const socket of sockets) socket.pause();
    },
    heal: () => {
      silent = false;
      for (const socket of sockets) socket.resume();
    },
  };
}

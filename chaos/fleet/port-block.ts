// The ports of a fleet: a block that is its own for as long as it is there. A process that is down, or a link that is refused, leaves its port to
// whoever comes; so they are apart from those that the rest of the harness takes (scripts/ports.ts), and of two fleets none takes the other's.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { isPortFree } from '../../scripts/ports.ts';
import { onCleanup, type TestScope } from '../../test/support/cleanup.ts';

const first = 10_000;
const blocks = 50;
const blockSize = 100;

/** Each call gives another port of the block that nothing listens on. */
export type NextPort = () => Promise<number>;

export async function claimPorts(scope: TestScope): Promise<NextPort> {
  const start = Math.floor(Math.random() * blocks);
  for (let tries = 0; tries < blocks; tries++) {
    const base = first + ((start + tries) % blocks) * blockSize;
    if (await claim(scope, base)) return portsAfter(base);
  }
  throw new Error(`all ports from ${first} to ${first + blocks * blockSize} belong to fleets`);
}

/** Who listens on the first port of a block has all of it. */
async function claim(scope: TestScope, port: number): Promise<boolean> {
  const server = createServer((socket) => socket.destroy());
  const isOurs = await once(server.listen(port, '127.0.0.1'), 'listening').then(
    () => true,
    () => false,
  );
  if (isOurs) onCleanup(scope, () => void server.close());
  return isOurs;
}

function portsAfter(base: number): NextPort {
  let last = base;
  return async () => {
    do last++;
    while (last < base + blockSize && !(await isPortFree(last)));
    if (last === base + blockSize) throw new Error(`a fleet has ${blockSize - 1} ports`);
    return last;
  };
}

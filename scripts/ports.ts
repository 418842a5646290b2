// TCP ports of this machine: is one free, and find one that is. Used by `npm start` and by the test harness.

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** True where nothing listens on `port` of `host`. */
export function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/**
 * A port that nothing listens on now. Below 32768, so that no outgoing connection of anybody is given it while a server
 * that owns it is being restarted (Linux takes those from 32768 up).
 */
export async function findFreePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(15_000, 32_768);
    if (await isPortFree(port, host)) return port;
  }
  throw new Error('found no free port between 15000 and 32767');
}

/** So many of them, each another one. */
export async function findFreePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await findFreePort());
  return [...ports];
}

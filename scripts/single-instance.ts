// At most one `npm start` in a checkout. The holder listens on a Unix socket in the data folder and tells others who it
// is; the kernel closes it with the process, however that dies, so a leftover file never locks anybody out.

import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';

export type Instance =
  | { readonly kind: 'held'; release(): void; readonly afterCrash: boolean }
  | { readonly kind: 'taken'; readonly holder: string };

/**
 * `path` is best relative: a socket's path has about a hundred bytes. `describe` is what others are told. `afterCrash`:
 * a former holder did not release it, and what it started may still be ending.
 */
export async function holdSingleInstance(path: string, describe: () => string): Promise<Instance> {
  const first = await listen(path, describe);
  if (first) return { kind: 'held', release: first, afterCrash: false };
  const holder = await ask(path);
  if (holder !== null) return { kind: 'taken', holder };
  rmSync(path, { force: true });
  const second = await listen(path, describe);
  if (second) return { kind: 'held', release: second, afterCrash: true };
  return { kind: 'taken', holder: (await ask(path)) ?? 'it began at the same moment' };
}

/** How to release it; null where the path is there already. */
async function listen(path: string, describe: () => string): Promise<(() => void) | null> {
  const server = createServer((socket) => {
    // Whoever asks may be gone before the answer is.
    socket.on('error', () => socket.destroy());
    socket.end(describe());
  });
  try {
    server.listen(path);
    await once(server, 'listening');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return null;
    throw error;
  }
  server.unref();
  return () => server.close();
}

/** What the holder says; null where there is none any more. */
async function ask(path: string): Promise<string | null> {
  const socket = connect(path).setEncoding('utf8');
  let answer = '';
  try {
    for await (const chunk of socket) answer += chunk;
    return answer;
  } catch {
    return null;
  }
}

// A Redis server of the run's own: a free port, a fresh folder, ended by its pid.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const readyMsMax = 10_000;

/** A sentence for whoever has none; null where there is one. */
export function missingRedis() {
  if (spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0) return null;
  return 'There is no redis-server on the PATH. Debian, Ubuntu: sudo apt-get install redis-server. macOS: brew install redis.';
}

/** `durable`: every write is fsynced before it is answered (appendfsync always); else nothing is ever written. */
export async function startRedis(scope, { folder, port, durable, endWithParent, onCleanup }) {
  mkdirSync(folder, { recursive: true });
  const dir = mkdtempSync(join(folder, 'redis-'));
  const persistence = durable ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no'];
  const args = ['--port', port, '--bind', '127.0.0.1', '--dir', dir, '--save', '', ...persistence];
  const child = spawn('redis-server', args.map(String), { stdio: 'ignore' });
  await once(child, 'spawn');
  endWithParent(child);
  const ended = once(child, 'exit');
  onCleanup(scope, async () => {
    child.kill('SIGKILL');
    await ended;
    rmSync(dir, { recursive: true, force: true });
  });
  const deadline = performance.now() + readyMsMax;
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > deadline) throw new Error(`no Redis on port ${port}`);
    await delay(20);
  }
  return { pid: child.pid };
}

async function accepts(port) {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

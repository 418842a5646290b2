// `npm start`: the whole of Taskkeeper on one machine, for trying it and for developing it. Starts everything, says when it is
// ready and how to use it, and stays until Ctrl-C; then all of it ends. Exit code 0 after that, 1 where it cannot run.

import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ConfigError } from '../runtime/environment.ts';
import { Console } from './console.ts';
import { ensureZooKeeper } from './ensure-zookeeper.ts';
import { holdSingleInstance } from './single-instance.ts';
import { Stack } from './stack.ts';
import { portsInUse, readStartOptions, type StartOptions } from './start-options.ts';
import { stopRequest } from './stop-request.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** The gateway and ZooKeeper of a stack whose parent was killed are gone well before this. */
const formerStackMsMax = 30_000;

class CannotStart extends Error {}

async function main(): Promise<number> {
  process.chdir(root);
  const options = readStartOptions(process.env);
  const { dataDir } = options;
  const logDir = join(dataDir, 'logs');
  mkdirSync(logDir, { recursive: true });
  const describe = () => `process ${process.pid}, ${addressOf(options)}`;
  const instance = await holdSingleInstance(join(dataDir, 'start.sock'), describe);
  if (instance.kind === 'taken') throw new CannotStart(`npm start runs already in this folder (${instance.holder}).`);
  await requirePorts(options, instance.afterCrash).catch((error: unknown) => {
    instance.release(); // or the next start would take this one for crashed
    throw error;
  });

  const console = new Console(logDir);
  const stop = stopRequest();
  const stack = new Stack(options, {
    onLine: (name, line) => console.logLine(name, line),
    onNotice: (notice) => console.say(notice),
    onHopeless: (reason) => stop.request({ exitCode: 1, reason }),
  });
  stop.onSecond(() => stack.kill());
  try {
    await startAll(stack, options, stop.signal);
    if (!stop.signal.aborted) console.say(welcome(options, stack, logDir));
  } catch (error) {
    stop.request({ exitCode: 1, reason: (error as Error).message });
  }
  const { exitCode, reason } = await stop.requested;
  console.say(`${reason}: stopping everything (again: at once) ...`);
  await stack.stop();
  console.say('Stopped. Nothing is left running.');
  instance.release();
  await console.close();
  return exitCode;
}

async function startAll(stack: Stack, { zookeeperPort, dataDir }: StartOptions, stop: AbortSignal): Promise<void> {
  if (zookeeperPort !== null) {
    await stack.startZooKeeper(ensureZooKeeper(), resolve(dataDir, 'zookeeper'), zookeeperPort, stop);
  }
  if (!stop.aborted) await stack.startServices(stop);
}

/** Throws {@link CannotStart}. After a crash the former stack is still ending, and is waited for. */
async function requirePorts(options: StartOptions, afterCrash: boolean): Promise<void> {
  const deadline = performance.now() + (afterCrash ? formerStackMsMax : 0);
  let taken = await portsInUse(options);
  if (taken.length > 0 && afterCrash) process.stdout.write('What a former npm start left is still ending ...\n');
  while (taken.length > 0 && performance.now() < deadline) {
    await delay(200);
    taken = await portsInUse(options);
  }
  if (taken.length > 0) throw new CannotStart(taken.join('\n'));
}

function addressOf({ httpPort }: StartOptions): string {
  return `http://127.0.0.1:${httpPort}`;
}

function welcome(options: StartOptions, stack: Stack, logDir: string): string {
  return `
Taskkeeper is ready.

  HTTP       ${addressOf(options)} (${addressOf(options)}/docs to read and try it)
  gRPC       127.0.0.1:${options.grpcPort}
  ZooKeeper  ${options.zookeeperConnect}
  Processes  ${stack.describe()}
  Logs       ${logDir}/

Try it:

  curl -s '${addressOf(options)}/tasks?wait=10s' -H 'content-type: application/json' -d '{"type":"shell","payload":"echo hello"}'

Ctrl-C ends all of it.
`;
}

try {
  process.exit(await main());
} catch (error) {
  const expected = error instanceof CannotStart || error instanceof ConfigError;
  process.stderr.write(`\n${expected ? error.message : (error as Error).stack}\n`);
  process.exit(1);
}

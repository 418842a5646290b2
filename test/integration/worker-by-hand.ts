// A real worker process whose master is the test: it makes tasks and assignments by hand, and loses what it likes of the
// worker's requests on their way.

import type { TestScope } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import type { RequestMatch } from '../support/fault-connection.ts';
import type { FaultProxy } from '../support/fault-proxy.ts';
import { type Process, type Stack, startStack } from '../support/stack.ts';
import type { TestSession } from '../support/stack-session.ts';
import { dataReadsIn } from '../support/wire-operations.ts';
import type { TestZooKeeper } from '../support/zookeeper-server.ts';

export interface WorkerByHand {
  readonly stack: Stack;
  readonly session: TestSession;
  readonly worker: Process;
  readonly proxy: FaultProxy;
}

/** That of the session, by default. */
const operationMs = 3000;

/** Without a master. Resolves when the worker, `ours1`, is registered; it has one slot. */
export async function startWorkerByHand(
  scope: TestScope,
  zookeeper: TestZooKeeper,
  sessionTimeoutMs = operationMs,
  env: Readonly<Record<string, number>> = {},
): Promise<WorkerByHand> {
  const stack = await startStack(scope, zookeeper, { masters: 0, workers: 0, gateways: 0, sessionTimeoutMs });
  const session = await stack.session;
  const worker = await stack.addWorker({ WORKER_CONCURRENCY: 1, ...env }, true);
  if (!worker.proxy) throw new Error('it was asked for with a proxy');
  return { stack, session, worker, proxy: worker.proxy };
}

/** Returns the id. */
export async function createTask(session: TestSession, data: string): Promise<string> {
  return (await session.create('/tasks/task-', data, 'sequential')).slice('/tasks/'.length);
}

export async function assign(session: TestSession, task: string, data = ''): Promise<string> {
  return await session.create(`/assign/ours1/${task}`, data);
}

/** The status as it is stored. */
export async function statusOf(session: TestSession, task: string) {
  const znode = await eventually(`${task} has a status`, () => session.getData(`/tasks/${task}/status`));
  return JSON.parse(znode.data.toString()) as {
    state: string;
    attempt: number;
    error?: { code: string; message: string };
  };
}

export function untilGone(session: TestSession, path: string): Promise<boolean> {
  return eventually(`${path} is gone`, async () => (await session.exists(path)) === null);
}

/** Requests with this opcode and this path, chroot and all. */
export function requestFor(opcode: number, path: string): RequestMatch {
  return (seen, request) =>
    seen === opcode && request.length >= 12 && request.toString('utf8', 12, 12 + request.readInt32BE(8)) === path;
}

/** Requests that read the data at this path, alone or with others. */
export function readOf(path: string): RequestMatch {
  return (seen, request) => dataReadsIn(seen, request).includes(path);
}

/**
 * Such a request gets no answer for as long as an operation may take: it is held, the worker gives up the link and asks
 * over the next one, where it is held too. Resolves once it is asked anew after that time, which is answered.
 */
export async function leaveUnanswered(proxy: FaultProxy, match: RequestMatch): Promise<void> {
  let firstAt: number | null = null;
  await new Promise<void>((resolve) => {
    const stop = proxy.onFrame(({ handshake, opcode, body }) => {
      if (handshake) return void proxy.heal(); // so that the session lives on
      if (opcode === null || !match(opcode, body)) return;
      firstAt ??= performance.now();
      if (performance.now() - firstAt < operationMs) return proxy.silence('toServer');
      stop();
      resolve();
    });
  });
  await proxy.heal();
}

// Goal: an assignment that the worker may not read keeps no place among the tasks that are read ahead. Method: the real worker
// over a session whose every answer the test gives.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoordinationError } from '../../../coordination/coordination-error.ts';
import type { RecursiveListener, Session } from '../../../coordination/session.ts';
import type { WorkerId } from '../../../domain/task.ts';
import { createLog } from '../../../runtime/log.ts';
import { runWorker, type WorkerOptions } from '../../../services/worker/worker.ts';
import { eventually } from '../../support/eventually.ts';
import { readDataBy } from '../../support/read-data.ts';

const noAuth = -102;
const [one, two] = ['task-0000000001', 'task-0000000002'];

test('of one slot: the task of the next assignment is read ahead', async () => {
  const asked: string[] = [];
  const over = new AbortController();
  let onEvent: RecursiveListener | null = null;
  const getData = async (path: string) => {
    asked.push(path);
    if (path === `/assign/w/${one}`) throw CoordinationError.refused(noAuth, path);
    return path === '/assign/w' ? { data: Buffer.alloc(0), stat: { numChildren: 0 } } : new Promise(() => undefined);
  };
  const stat = { ephemeralOwner: 1n, czxid: 1n };
  const session = {
    ...{ signal: over.signal, state: 'connected', id: 1n, timeoutMs: 10_000, trustedUntil: Infinity },
    ...{
      onState: () => () => undefined,
      onTrust: () => () => undefined,
      ensureChroot: async () => undefined,
      sync: async () => undefined,
    },
    ...{ exists: async () => stat, watch: () => ({ stat: Promise.resolve(stat), cancel: () => undefined }), getData },
    readData: readDataBy(getData),
    commit: async () => undefined,
    watchRecursively: async (_path: string, listener: RecursiveListener) => {
      onEvent = listener;
    },
  } as unknown as Session;
  const appears = (task: string | undefined) => (onEvent as RecursiveListener | null)?.(`/assign/w/${task}`, 'created');
  const ended = runWorker(
    session,
    {
      ...{ id: 'w' as WorkerId, record: { concurrency: 1 }, drainGraceMs: 0, log: createLog('test', 'silent') },
      ...{ registry: { renewLease: () => undefined }, metrics: { running: { set: () => undefined } } },
      onReady: () => undefined,
    } as unknown as WorkerOptions,
    new AbortController().signal,
  );
  await eventually('the watch', () => onEvent !== null);
  appears(one);
  await eventually('the refusal', () => asked.includes(`/assign/w/${one}`));
  await new Promise((resolve) => setTimeout(resolve, 10));
  assert.ok(asked.includes(`/tasks/${one}`));
  appears(two);
  assert.ok(asked.includes(`/tasks/${two}`));
  over.abort();
  await ended;
});

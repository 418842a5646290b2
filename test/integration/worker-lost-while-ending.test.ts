// Goal: a run that is ending in good order (withdrawn, timed out, the worker stops) ends at once when the session is lost,
// since another worker may then be given the task. Method: handlers that do not end by themselves, and graces so long that
// only force can have ended them.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ensureParents } from '../../coordination/bootstrap.ts';
import { limits } from '../../domain/limits.ts';
import type { WorkerId } from '../../domain/task.ts';
import { createLog } from '../../runtime/log.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import type { HandlerRegistry } from '../../services/worker/handler-registry.ts';
import type { HandlerContext } from '../../services/worker/handlers/handler.ts';
import { RunEnd } from '../../services/worker/run-end.ts';
import { RunStop } from '../../services/worker/run-stop.ts';
import { runAttempt } from '../../services/worker/task-runner.ts';
import { runWorker } from '../../services/worker/worker.ts';
import { createWorkerMetrics } from '../../services/worker/worker-metrics.ts';
import { anyRun } from '../support/any-run.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { openSession } from '../support/stack-session.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { assign, createTask } from './worker-by-hand.ts';
import { firstProgress, livenessPipe, startRegistry } from './worker-handlers-support.ts';

const zookeeper = await startZooKeeper(wholeFile);
const withdrawn = { kind: 'withdrawn', reason: 'cancelled' } as const;

function run(
  registry: HandlerRegistry,
  type: string,
  payload: string | null,
  onProgress: () => void = () => undefined,
) {
  const runStop = new RunStop();
  const ended = runAttempt({
    registry,
    type,
    payload,
    context: anyRun,
    timeoutMs: limits.timeoutMsMax,
    runStop,
    onProgress,
  });
  return { ended, runStop };
}

test('a thread in its grace is ended', async (t) => {
  const block = 'export default (_, { progress }) => { progress(1); while (true); };';
  const registry = await startRegistry(t, { 'block.js': block }, { abortGraceMs: 3_600_000 });
  const { onProgress, reached } = firstProgress();
  const { ended, runStop } = run(registry, 'block', null, () => onProgress({ percent: 1, message: null }));
  await reached;
  runStop.stop(withdrawn);
  runStop.stop({ kind: 'session_lost' });
  assert.deepEqual(await ended, { kind: 'aborted', why: withdrawn });
});

test('a command in its grace is killed', async (t) => {
  const registry = await startRegistry(t, {}, { shellHandler: true });
  const begins = await livenessPipe(t);
  const told = await livenessPipe(t);
  const command = `trap '${told.prelude}' TERM; ${begins.prelude} while :; do sleep 0.01; done`;
  const { ended, runStop } = run(registry, 'shell', command);
  await begins.begun;
  runStop.stop(withdrawn);
  await told.begun;
  const before = performance.now();
  runStop.stop({ kind: 'session_lost' });
  assert.deepEqual(await ended, { kind: 'aborted', why: withdrawn });
  const tookMs = performance.now() - before;
  assert.ok(tookMs < limits.shellTermGraceMs / 2, `${tookMs} ms`);
  await told.ended;
});

/** A worker in this process whose one handler does nothing but tell what it was given. */
async function startWorker(t: TestContext) {
  const session = await openSession(t, `${zookeeper.connect}/lost`);
  await ensureParents(session);
  let onContext: (context: HandlerContext) => void = () => undefined;
  const begun = new Promise<HandlerContext>((resolve) => {
    onContext = resolve;
  });
  const finish = new AbortController();
  const registry: HandlerRegistry = {
    types: ['shell'],
    run: (_type, _payload, context) => {
      onContext(context);
      return new Promise((_resolve, reject) => finish.signal.addEventListener('abort', reject));
    },
    renewLease: () => undefined,
    guardianProcessId: () => null,
    close: async () => undefined,
  };
  const options = {
    id: 'ours1' as WorkerId,
    record: { address: 'here:1', concurrency: 1, types: ['shell'], queues: null, draining: false },
    registry,
    drainGraceMs: 1000,
    log: createLog('test', 'silent'),
    metrics: createWorkerMetrics(createMetrics()),
    onReady: () => undefined,
  };
  const ended = runWorker(session, options, new AbortController().signal);
  await eventually('it is registered', () => session.exists('/workers/ours1'));
  return { session, begun, finish, ended };
}

test('a worker whose session is lost tells its runs so, those that were withdrawn before too', async (t) => {
  const { session, begun, finish, ended } = await startWorker(t);
  const assignment = await assign(session, await createTask(session, 'anything'));
  const { signal, endNow } = await begun;
  const data = Buffer.from('{"v":1,"withdraw":"cancelled"}');
  await session.commit([{ kind: 'set', path: assignment, data, version: 0 }]);
  await eventually('the run is told that it is withdrawn', () => signal.aborted);
  assert.deepEqual([signal.reason, endNow.aborted], [new RunEnd(withdrawn), false]);
  await session.close();
  assert.deepEqual([signal.reason, endNow.aborted], [new RunEnd(withdrawn), true]);
  finish.abort();
  await ended;
});

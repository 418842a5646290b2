// Goal: however a handler ends, runAttempt answers once, with the right outcome, and never before the handler has ended.
// Method: handlers that are plain functions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../domain/limits.ts';
import type { Json, Progress } from '../../../domain/task.ts';
import type { HandlerContext } from '../../../services/worker/handlers/handler.ts';
import { RunEnd } from '../../../services/worker/run-end.ts';
import { RunStop } from '../../../services/worker/run-stop.ts';
import { runAttempt } from '../../../services/worker/task-runner.ts';
import { anyRun } from '../../support/any-run.ts';

type Run = (context: HandlerContext) => Promise<Json>;

function attempt(
  run: Run,
  options: { timeoutMs?: number; leftMs?: number; runStop?: RunStop; seen?: Progress[] } = {},
) {
  return runAttempt({
    registry: { run: (_type, _payload, context) => run(context) },
    type: 'test',
    payload: null,
    context: anyRun,
    timeoutMs: options.timeoutMs ?? limits.timeoutMsMax,
    leftMs: options.leftMs ?? null,
    runStop: options.runStop ?? new RunStop(),
    onProgress: (progress) => options.seen?.push(progress),
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

test('a result, an error and a handler that throws at once', async () => {
  assert.deepEqual(await attempt(async () => 7), { kind: 'succeeded', result: 7 });
  const failed = {
    kind: 'failed',
    error: { code: 'handler_error', message: 'no' },
    retryable: true,
    retryAfterMs: null,
  };
  assert.deepEqual(await attempt(() => Promise.reject(new Error('no'))), failed);
  const throwing: Run = () => {
    throw new Error('no');
  };
  assert.deepEqual(await attempt(throwing), failed);
});

test('a handler that has ended is not told that its assignment is gone', async () => {
  const runStop = new RunStop();
  let seen: AbortSignal | null = null;
  const run: Run = async ({ signal }) => {
    seen = signal;
    return 7;
  };
  assert.deepEqual(await attempt(run, { runStop }), { kind: 'succeeded', result: 7 });
  runStop.stop({ kind: 'withdrawn', reason: 'cancelled' });
  assert.equal((seen as AbortSignal | null)?.aborted, false);
  assert.equal(runStop.why?.kind, 'withdrawn');
});

test('at the deadline the run is timed out, whatever the handler then settles with, and not before it has', async () => {
  for (const settle of [() => 'late result', () => Promise.reject(new Error('late'))]) {
    let hasEnded = false;
    const result = await attempt(
      async ({ signal }) => {
        await aborted(signal);
        assert.equal(signal.reason.name, 'TimeoutError');
        await new Promise((resolve) => setTimeout(resolve, 10));
        hasEnded = true;
        return settle();
      },
      { timeoutMs: 5 },
    );
    assert.ok(hasEnded);
    assert.deepEqual(result, { kind: 'timed_out' });
  }
});

test('the deadline of the task ends the run where it comes before its timeout; past it the handler is not started', async () => {
  let started = 0;
  const run: Run = async ({ signal }) => {
    started += 1;
    await aborted(signal);
    return signal.reason.name;
  };
  assert.deepEqual(await attempt(run, { leftMs: 5 }), { kind: 'expired' });
  assert.deepEqual(await attempt(run, { leftMs: 60_000, timeoutMs: 5 }), { kind: 'timed_out' });
  assert.equal(started, 2);
  for (const leftMs of [0, -1000]) assert.deepEqual(await attempt(run, { leftMs }), { kind: 'expired' });
  assert.equal(started, 2);
  const quick: Run = () => new Promise((resolve) => setTimeout(resolve, 5, 'fine'));
  assert.deepEqual(await attempt(quick, { leftMs: limits.deadlineMsMax }), { kind: 'succeeded', result: 'fine' });
});

test("a stop by the caller is answered with the caller's reason; the first reason counts", async () => {
  const why = { kind: 'withdrawn', reason: 'cancelled' } as const;
  const runStop = new RunStop();
  const result = attempt(
    async ({ signal }) => {
      runStop.stop(why);
      assert.deepEqual(signal.reason, new RunEnd(why));
      await new Promise((resolve) => setTimeout(resolve, 30));
      throw signal.reason;
    },
    { runStop, timeoutMs: 10 },
  );
  assert.deepEqual(await result, { kind: 'aborted', why });
});

test('a run that was stopped before never starts the handler', async () => {
  let started = false;
  const run: Run = async () => {
    started = true;
    return null;
  };
  const runStop = new RunStop();
  runStop.stop({ kind: 'shutdown' });
  assert.deepEqual(await attempt(run, { runStop }), { kind: 'aborted', why: { kind: 'shutdown' } });
  assert.equal(started, false);
});

test('what had ended before the stop keeps its result', async () => {
  const runStop = new RunStop();
  const result = await attempt(async () => 'done', { runStop });
  runStop.stop({ kind: 'shutdown' });
  assert.deepEqual(result, { kind: 'succeeded', result: 'done' });
});

test('the longest timeout does not fire at once', async () => {
  for (const timeoutMs of [limits.timeoutMsMax, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
    const run: Run = () => new Promise((resolve) => setTimeout(resolve, 5, 'fine'));
    assert.deepEqual(await attempt(run, { timeoutMs }), { kind: 'succeeded', result: 'fine' });
  }
});

test('progress is put right, and none comes after the end', async () => {
  const seen: Progress[] = [];
  let late: HandlerContext['progress'] = () => undefined;
  await attempt(
    async ({ progress }) => {
      progress(140, 'x'.repeat(1000));
      progress(Number.NaN);
      late = progress;
      return null;
    },
    { seen },
  );
  late(50);
  assert.deepEqual(seen, [{ percent: 100, message: 'x'.repeat(256) }]);
});

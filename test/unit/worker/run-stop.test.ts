// Goal: whenever a handler first looks at its signals, they say what has been asked for, and the first reason stays.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunEnd } from '../../../services/worker/run-end.ts';
import { RunStop } from '../../../services/worker/run-stop.ts';

const cancelled = { kind: 'withdrawn', reason: 'cancelled' } as const;
const lost = { kind: 'session_lost' } as const;

test('signals that were looked at before the stop hear of it, those looked at afterwards have it', () => {
  for (const isEarly of [true, false]) {
    const runStop = new RunStop();
    const early = isEarly && [runStop.signal, runStop.endNow];
    assert.equal(runStop.why, null);
    runStop.stop(cancelled);
    assert.deepEqual(runStop.why, cancelled);
    assert.deepEqual(runStop.signal.reason, new RunEnd(cancelled));
    assert.equal(runStop.endNow.aborted, false);
    runStop.stop(lost);
    assert.deepEqual(runStop.why, cancelled);
    assert.deepEqual([runStop.signal.reason, runStop.endNow.reason], [new RunEnd(cancelled), new RunEnd(cancelled)]);
    if (early) assert.deepEqual([runStop.signal === early[0], runStop.endNow === early[1]], [true, true]);
  }
});

test('a lost session aborts both, and nothing else the second one', () => {
  const atOnce = new RunStop();
  const order: string[] = [];
  atOnce.endNow.addEventListener('abort', () => order.push('endNow'));
  atOnce.signal.addEventListener('abort', () => order.push('signal'));
  atOnce.stop(lost);
  atOnce.stop(lost);
  assert.deepEqual(order, ['signal', 'endNow']);
  const others = [{ kind: 'shutdown' }, { kind: 'expired' }, { kind: 'timed_out', timeoutMs: 1 }, cancelled] as const;
  for (const why of others) {
    const runStop = new RunStop();
    runStop.stop(why);
    assert.deepEqual([runStop.signal.aborted, runStop.endNow.aborted], [true, false]);
  }
});

test('after the end of a run its signals stay quiet; why it was to stop, and a first look, tell of it', () => {
  const runStop = new RunStop();
  const { signal } = runStop;
  runStop.over();
  runStop.stop(cancelled);
  assert.equal(signal.aborted, false);
  assert.deepEqual(runStop.why, cancelled);
  const ended = new RunStop();
  ended.stop(cancelled);
  ended.over();
  assert.deepEqual(ended.signal.reason, new RunEnd(cancelled));
});

test('an error is made for each run, so that a handler that changes its own changes no other', () => {
  const runs = [new RunStop(), new RunStop()];
  for (const runStop of runs) runStop.stop(cancelled);
  assert.notEqual(runs[0]?.signal.reason, runs[1]?.signal.reason);
});

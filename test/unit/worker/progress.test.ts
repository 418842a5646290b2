// Goal: progress is put right, and a handler that reports in a loop sends little.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Progress } from '../../../domain/task.ts';
import { handlerLimits } from '../../../services/worker/handlers/handler-limits.ts';
import { progressSender, readProgress } from '../../../services/worker/handlers/progress.ts';

test('percent is kept within bounds, the message short, nonsense ignored', () => {
  assert.deepEqual(readProgress(50, 'half'), { percent: 50, message: 'half' });
  assert.deepEqual(readProgress(-5, undefined), { percent: 0, message: null });
  assert.deepEqual(readProgress(Number.POSITIVE_INFINITY, 7), { percent: 100, message: null });
  assert.equal(readProgress(Number.NaN, 'x'), null);
  assert.equal(readProgress('50', 'x'), null);
  assert.equal(readProgress(1, 'x'.repeat(9999))?.message?.length, handlerLimits.progressMessageCharactersMax);
});

test('the first goes out at once, then the newest after the interval', async () => {
  const sent: Progress[] = [];
  let secondArrived: () => void = () => undefined;
  const second = new Promise<void>((resolve) => {
    secondArrived = resolve;
  });
  const keepAlive = setTimeout(() => undefined, 5000);
  const sender = progressSender((progress) => {
    sent.push(progress);
    if (sent.length === 2) secondArrived();
  });
  for (let percent = 1; percent <= 100; percent++) sender.progress(percent);
  assert.deepEqual(sent, [{ percent: 1, message: null }]);
  await second;
  assert.deepEqual(sent.at(-1), { percent: 100, message: null });
  sender.stop();
  clearTimeout(keepAlive);
});

test('nothing is sent after the stop', () => {
  const sent: Progress[] = [];
  const sender = progressSender((progress) => sent.push(progress));
  sender.stop();
  sender.progress(1);
  assert.deepEqual(sent, []);
});

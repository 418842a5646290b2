// Goal: progress is written once in its interval, the newest then, and what could not be written is not forgotten.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { limits } from '../../../domain/limits.ts';
import type { Progress } from '../../../domain/task.ts';
import { ProgressReport } from '../../../services/worker/progress-report.ts';
import { Changes } from '../../support/changes.ts';

/** A report whose writes end as `answers` say, then well; `written` resolves once there were so many. */
function reportTo(answers: boolean[] = []) {
  const writes: { percent: number; at: number }[] = [];
  const changes = new Changes();
  const write = async ({ percent }: Progress) => {
    writes.push({ percent, at: performance.now() });
    changes.announce();
    return answers.shift() ?? true;
  };
  const report = new ProgressReport(write);
  const add = (percent: number) => report.add({ percent, message: null });
  const written = (count: number) =>
    changes.until(
      () => (writes.length >= count ? writes.map(({ percent }) => percent) : null),
      10_000,
      (expired) => (expired ? new Error(`only ${writes.length} of ${count} writes`) : null),
    );
  /** The shortest time between two writes. */
  const shortestMs = () => Math.min(...writes.slice(1).map(({ at }, i) => at - (writes[i]?.at ?? 0)));
  return { report, add, written, shortestMs };
}

describe('progress', { concurrency: true }, () => {
  test('of many the first is written at once and the newest after the interval', async () => {
    const { add, written, shortestMs } = reportTo();
    add(1);
    assert.deepEqual(await written(1), [1]);
    for (let percent = 2; percent <= 50; percent += 1) add(percent);
    assert.deepEqual(await written(2), [1, 50]);
    assert.ok(shortestMs() >= limits.progressIntervalMs - 5);
  });

  test('what could not be written is written again, unless there is something newer', async () => {
    const { add, written, shortestMs } = reportTo([false, false]);
    add(1);
    assert.deepEqual(await written(2), [1, 1]);
    add(2);
    assert.deepEqual(await written(3), [1, 1, 2]);
    assert.ok(shortestMs() >= limits.progressIntervalMs - 5);
  });

  test('nothing is written after the end, also nothing again', async () => {
    const { report, add, written } = reportTo([false]);
    add(1);
    await written(1);
    await report.close();
    add(2);
    await assert.rejects(
      Promise.race([written(2), new Promise((_, reject) => setTimeout(reject, 1500, new Error('nothing came')))]),
      { message: 'nothing came' },
    );
  });
});

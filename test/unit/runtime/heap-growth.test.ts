// Goal: a small heap may double, a large one grows by so many bytes, and V8 is told so after it has collected. Method: the rule by itself, and
// a process that collects.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { growthPercent } from '../../../runtime/heap-growth.ts';

const MiB = 2 ** 20;

test('as many bytes more, whatever is in use, within bounds', () => {
  assert.equal(growthPercent(100 * MiB, 40 * MiB), 40);
  assert.equal(growthPercent(40 * MiB, 40 * MiB), 100);
  assert.equal(growthPercent(8 * MiB, 40 * MiB), 100);
  assert.equal(growthPercent(400 * MiB, 40 * MiB), 20);
});

test('a heap that grows is collected before it has taken much more than the room it was given', () => {
  // It keeps 120 MB, and makes as much garbage that has become old before it is dropped.
  const script = `
    import { setImmediate as turn } from 'node:timers/promises';
    const { limitHeapGrowth } = await import(process.argv[1]);
    if (process.argv[2] !== 'none') limitHeapGrowth(Number(process.argv[2]) * 2 ** 20);
    const kept = [];
    let old = [];
    let most = 0;
    for (let i = 0; i < 1200; i += 1) {
      kept.push(Array.from({ length: 6000 }, (_, j) => ({ j })).slice(0, 3000));
      old.push(Array.from({ length: 6000 }, (_, j) => ({ j })));
      if (old.length > 50) old = [];
      if (i % 3 === 0) await turn();
      if (i % 2 === 0) kept.pop();
      most = Math.max(most, process.memoryUsage().heapTotal);
    }
    console.log(JSON.stringify({ most: most / 2 ** 20, kept: kept.length }));
  `;
  const url = new URL('../../../runtime/heap-growth.js', import.meta.url).href;
  const run = (room: string) => {
    const args = ['--input-type=module', '--eval', script, url, room];
    return (JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as { most: number }).most;
  };
  const [free, limited] = [run('none'), run('20')];
  assert.ok(limited < free * 0.8, `${limited} MB of heap with the limit, ${free} MB without`);
});

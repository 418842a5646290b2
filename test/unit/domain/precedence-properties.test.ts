// Goal: whatever happens in whatever order, two tasks of one key are never assigned together, each starts in its turn, a task is
// let go or ended exactly when those before it say so, and everything that could run does. Method: random histories of a tree
// whose picture lags behind, with failovers; then everything is brought to its end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { afterFailures } from '../../../domain/task.ts';
import { World, type WorldTask } from './precedence-world.ts';

type Draw = (below: number) => number;

const stepsMax = 80;
/** More than it takes: everything has ended by then, or never will. */
const endingsMax = 400;

test('order, exclusive keys and dependencies hold in every history, and nothing waits for ever that could run', () => {
  let started = 0;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: stepsMax }), fc.infiniteStream(fc.nat(1_000_000)), (steps, numbers) => {
      const draw: Draw = (below) => (numbers.next().value ?? 0) % below;
      const world = new World();
      for (let i = 0; i < steps; i += 1) {
        step(world, draw);
        world.decide();
      }
      bringToRest(world);
      assert.deepEqual(world.faults, []);
      for (const task of world.unfinished) assert.ok(world.stepsAside(task), `task ${task.number} could run`);
      for (let i = 0; i < endingsMax && world.unfinished.length > 0; i += 1) {
        retryWhatIsWaitedFor(world);
        bringToRest(world);
      }
      assert.deepEqual([world.faults, world.unfinished], [[], []]);
      started += world.started.length;
    }),
    { numRuns: 2000 },
  );
  assert.ok(started > 3000, `only ${started} tasks ran`);
});

function step(world: World, draw: Draw): void {
  const { running } = world;
  const chance = draw(20);
  if (chance < 6) submit(world, draw);
  else if (chance < 10) world.readOne();
  else if (chance < 14) world.commitOne();
  else if (chance < 17) endOne(running, world, draw);
  else if (chance === 17) removeOne(world, draw);
  else if (chance === 18) retryOne(world, draw);
  else world.failOver((things) => shuffle(things, draw));
}

function submit(world: World, draw: Draw): void {
  const numbers = [...world.tasks.keys()];
  const some = (count: number) => Array.from({ length: count }, () => numbers[draw(numbers.length)] ?? 0);
  const after = numbers.length === 0 ? [] : some(draw(3));
  const [original = null] = numbers.length > 0 && draw(6) === 0 ? some(1) : [];
  const key = [null, 'k', 'k', 'l'][draw(4)] ?? null;
  const afterFailure = afterFailures[draw(3)] ?? 'fail';
  world.submit({ key, after, afterFailure, retryOf: original });
}

function endOne(running: WorldTask[], world: World, draw: Draw): void {
  const task = running[draw(Math.max(1, running.length))];
  if (task) world.end(task, draw(3) === 0 ? 'failed' : 'succeeded');
}

/** A client may remove what is final; half of the time what stands in the middle of a row of retries. */
function removeOne(world: World, draw: Draw): void {
  const { middles } = world;
  const all = [...world.tasks.values()].filter(({ status, isAssigned }) => status !== null && !isAssigned);
  const final = middles.length > 0 && draw(2) === 0 ? middles : all;
  const task = final[draw(Math.max(1, final.length))];
  if (task) world.remove(task);
}

/** One that did not succeed, mostly the last of its lineage. */
function retryOne(world: World, draw: Draw): void {
  const failed = [...world.tasks.values()].filter(({ status }) => status === 'failed');
  const task = failed[failed.length - 1 - draw(Math.min(2, failed.length))];
  if (task) world.submit({ key: task.key, after: [], afterFailure: 'fail', retryOf: task.number });
}

/** Until nothing happens by itself any more; whatever runs succeeds. */
function bringToRest(world: World): void {
  for (let isBusy = true; isBusy; ) {
    world.decide();
    isBusy = world.commitOne() || world.readOne();
    if (isBusy) continue;
    const [task] = world.running;
    if (task) world.end(task, 'succeeded');
    isBusy = task !== undefined;
  }
}

/** As a client would that looks what a task waits for. */
function retryWhatIsWaitedFor(world: World): void {
  for (const { after } of world.unfinished) {
    for (const number of after) {
      const lineage = [world.tasks.get(number), ...world.retriesOf(number)].filter((task) => task !== undefined);
      const last = lineage.at(-1);
      const isHopeful = (task: WorldTask) => task.status === 'succeeded' || (!task.status && !world.stepsAside(task));
      if (!last || lineage.some(isHopeful)) continue;
      world.submit({ key: last.key, after: [], afterFailure: 'fail', retryOf: last.number });
    }
  }
}

function shuffle<T>(things: readonly T[], draw: Draw): T[] {
  return things
    .map((thing) => ({ thing, key: draw(1_000_000) }))
    .sort((a, b) => a.key - b.key)
    .map(({ thing }) => thing);
}

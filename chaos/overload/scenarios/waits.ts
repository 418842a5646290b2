// As many clients wait for a task as may, each on a connection of its own: all of their tasks end at once; or all of them give up at once; or the
// time of all of them is up at once. One more is refused. Nothing is left of them.

import { taskIdOf } from '../../../domain/task-id.ts';
import { PoliteClient } from '../polite-client.ts';
import { collect, Sampler } from '../processes.ts';
import type { Scenario, World } from '../world.ts';
import { doneTask, readErrands, tellServed } from './limit.ts';

/** The longest that there is; none of them is over before all have asked. */
const waitSeconds = 60;

export const waits: Scenario = {
  name: 'waits',
  about: 'as many waiting long-polls as may be: answered, given up, timed out, one too many',
  run: async (world) => {
    const sampler = new Sampler(world.services, world.servers);
    const polite = new PoliteClient(world.port, readErrands(await doneTask(world)));
    await answered(world);
    await givenUp(world);
    await timedOut(world);
    tellServed(world, 'polite', await polite.stop());
    const samples = await sampler.stop();
    const { bounds } = world.sizes;
    for (const id of samples.ids) world.add(`${id}: memory at most`, samples.peakMb(id), 'MB');
    for (const { id } of world.services) {
      world.add(`${id}: event loop late at most`, samples.worstLoopDelayMs(id), 'ms', { atMost: bounds.loopDelayMs });
    }
  },
};

async function answered(world: World): Promise<void> {
  const { bounds, waits: count } = world.sizes;
  const before = await collect(world.gateway);
  const { numbers } = await allWaiting(world, 'answered', waitSeconds);
  await oneTooMany(world, numbers[0] ?? 0);
  const held = await collect(world.gateway);
  world.add('answered: a wait takes', ((held.heapMb - before.heapMb) * 1024) / count, 'KB', { atMost: 50 });
  world.add('answered: memory with all waiting', held.residentMb - before.residentMb, 'MB', { atMost: bounds.peakMb });
  world.say('all of them end');
  const startedAt = performance.now();
  await world.setQueue('held', { paused: false });
  const answers = await world.load.call('longPollAnswers');
  world.add('answered: the last one after', performance.now() - startedAt, 'ms', { atMost: 2 * bounds.recoveryMs });
  world.add('answered: 200 and final', answers.final, '', { exactly: count });
  world.add('answered: after the end of the task, p50', answers.lateMs.p50, 'ms');
  world.add('answered: after the end of the task, p99', answers.lateMs.p99, 'ms', { atMost: bounds.answerMs });
  world.faults('answered otherwise', otherThan(answers.statuses, '200'));
}

async function givenUp(world: World): Promise<void> {
  const { watches } = await allWaiting(world, 'given up', waitSeconds);
  world.say('all of them give up');
  const startedAt = performance.now();
  await world.load.call('dropLongPolls');
  await world.untilWaiting(0);
  const { recoveryMs } = world.sizes.bounds;
  world.add('given up: nobody waits after', performance.now() - startedAt, 'ms', { atMost: recoveryMs });
  await world.untilWatches('given up', watches);
  await world.setQueue('held', { paused: false });
  await world.untilDone();
}

async function timedOut(world: World): Promise<void> {
  const { bounds, shortWaitSeconds } = world.sizes;
  const { watches } = await allWaiting(world, 'timed out', shortWaitSeconds);
  world.say('the time of all of them is up');
  const answers = await world.load.call('longPollAnswers');
  const late = answers.tookMs.max - shortWaitSeconds * 1000;
  world.add('timed out: answered too late by at most', late, 'ms', { atMost: bounds.answerMs });
  world.faults('timed out: answered otherwise', otherThan(answers.statuses, '200'));
  world.add('timed out: final', answers.final, '', { exactly: 0 });
  await world.untilWatches('timed out', watches);
  await world.setQueue('held', { paused: false });
  await world.untilDone();
}

/** Tasks that are not run yet, and somebody who waits for each of them; and the watches that there were before. */
async function allWaiting(world: World, what: string, seconds: number) {
  const { waits: count, bounds } = world.sizes;
  world.say(`${count} begin to wait`);
  await world.setQueue('held', { paused: true });
  const numbers = await world.submitMany(count, { type: 'echo', queue: 'held' });
  const watches = await world.watches();
  const startedAt = performance.now();
  await world.load.call('openLongPolls', { port: world.port, numbers, waitSeconds: seconds });
  await world.untilWaiting(count);
  world.add(`${what}: all wait after`, performance.now() - startedAt, 'ms', { atMost: 2 * bounds.recoveryMs });
  return { numbers, watches };
}

async function oneTooMany(world: World, number: number): Promise<void> {
  const { status, headers, body } = await world.stack.client.request('GET', `/tasks/${taskIdOf(number)}?wait=10s`);
  const reason = String(body.type).split('/').at(-1);
  const isRefused = status === 429 && reason === 'too-many-waits' && Number(headers.get('retry-after')) > 0;
  world.faults('one too many is no 429 of its kind', isRefused ? [] : [`${status} ${reason}`]);
}

function otherThan(statuses: Readonly<Record<string, number>>, wanted: string): string[] {
  return Object.entries(statuses).flatMap(([status, count]) => (status === wanted ? [] : [`${count} times ${status}`]));
}

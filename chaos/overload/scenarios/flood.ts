// A client that submits as fast as it can for minutes, over both faces, and a polite one beside it. Finished tasks go as fast as they come, nothing
// grows, and the polite one is served all the while.

import { PoliteClient } from '../polite-client.ts';
import { Sampler } from '../processes.ts';
import type { Scenario } from '../world.ts';
import { doneTask, submitErrand, tellServed } from './limit.ts';

const minRetentionMs = 1000;
/** What may be in `/tasks` at a time: those that are kept, those that are too young to go, and those that are not final. */
const keptMoreMax = 30_000;

export const flood: Scenario = {
  name: 'flood',
  about: 'a client that submits as fast as it can, for minutes',
  environment: ({ among, finishedMax }) => ({
    master: { MAX_FINISHED_TASKS: Math.ceil(among / 2) + finishedMax, MIN_RETENTION_MS: minRetentionMs },
  }),
  run: async (world) => {
    const { sizes, services, servers } = world;
    const { bounds, floodSeconds, finishedMax, among } = sizes;
    world.say(`a flood of ${floodSeconds} s`);
    await doneTask(world);
    const polite = new PoliteClient(world.port, {
      list: { method: 'GET', path: () => '/tasks?limit=10', statuses: [200] },
      stats: { method: 'GET', path: () => '/stats', statuses: [200] },
      ...submitErrand(world),
    });
    const sampler = new Sampler(services, servers);
    const watched = tasksInTree(world);
    const result = await world.flood({ seconds: floodSeconds });
    const mostTasks = await watched.stop();
    const samples = await sampler.stop();
    tellServed(world, 'polite', await polite.stop());
    world.add('acknowledged', result.acknowledged.length / result.seconds, '1/s', { atLeast: 1 });
    world.add('refused', result.refused / result.seconds, '1/s');
    world.add('submit p50', result.acceptedMs.p50, 'ms', { atMost: bounds.p50Ms });
    world.add('submit p99', result.acceptedMs.p99, 'ms', { atMost: bounds.p99Ms });
    world.faults('submits answered neither 201 nor as a refusal', result.wrong);
    world.add('tasks in the tree at most', mostTasks, '', { atMost: among + finishedMax + keptMoreMax });
    for (const id of samples.ids) {
      world.say(`memory of ${id}: ${samples.course(id)} MB`);
      const bound = id.startsWith('zookeeper') ? null : { atMost: bounds.growthMb };
      world.add(`${id}: memory at most`, samples.peakMb(id), 'MB');
      world.add(`${id}: grown from the second to the last quarter`, samples.growthMb(id), 'MB', bound);
    }
    for (const { id } of services) {
      world.add(`${id}: event loop late at most`, samples.worstLoopDelayMs(id), 'ms', { atMost: bounds.loopDelayMs });
    }
    const endedAt = performance.now();
    await world.untilDone();
    world.add('all is done after', performance.now() - endedAt, 'ms', { atMost: 2 * bounds.recoveryMs });
  },
};

const lookMs = 1000;

/** The most that were seen. */
function tasksInTree({ stack }: Parameters<Scenario['run']>[0]): { stop(): Promise<number> } {
  let most = 0;
  let looking = true;
  const looks = (async () => {
    const session = await stack.session;
    while (looking) {
      most = Math.max(most, (await session.exists('/tasks'))?.numChildren ?? 0);
      await new Promise((resolve) => setTimeout(resolve, lookMs));
    }
  })();
  return {
    stop: async () => {
      looking = false;
      await looks;
      return most;
    },
  };
}

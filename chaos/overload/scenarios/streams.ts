// Thousands of gRPC streams, read by those who asked for them: each change is told, and all end with their tasks. And clients that read nothing,
// over both faces: what waits for them stays bounded, whatever they have asked for, and nobody else waits.

import { taskIdOf } from '../../../domain/task-id.ts';
import { PoliteClient } from '../polite-client.ts';
import { collect, Sampler } from '../processes.ts';
import type { Scenario, World } from '../world.ts';
import { doneTask, readErrands, submitErrand, tellServed } from './limit.ts';

/** A server of ours lets a connection have a thousand. */
const streamsPerConnection = 500;

export const streams: Scenario = {
  name: 'streams',
  about: 'thousands of gRPC streams to their ends, and clients that ask and do not read',
  run: async (world) => {
    const errands = readErrands(await doneTask(world));
    const readers = new PoliteClient(world.port, errands);
    await readToTheEnd(world);
    await givenUp(world);
    tellServed(world, 'beside streams', await readers.stop());
    const polite = new PoliteClient(world.port, { ...errands, ...submitErrand(world) });
    await deaf(world);
    // Five hundred at a time ask for the largest task that there is, and lists have such tasks, too.
    tellServed(world, 'beside deaf ones', await polite.stop(), 4);
  },
};

/** All open, on tasks that are not run yet. The watches that there were before. */
async function open(world: World, what: string): Promise<number> {
  const { streams: count, eventStreams, bounds } = world.sizes;
  world.say(`${count} streams begin`);
  await world.setQueue('held', { paused: true });
  const numbers = await world.submitMany(count, { type: 'echo', queue: 'held' });
  const watches = await world.watches();
  const startedAt = performance.now();
  const address = world.stack.gateway.grpcAddress;
  await world.load.call('openStreams', { address, numbers, events: eventStreams, streamsPerConnection });
  await world.untilWaiting(count + eventStreams);
  world.add(`${what}: all are open after`, performance.now() - startedAt, 'ms', { atMost: 2 * bounds.recoveryMs });
  return watches;
}

async function givenUp(world: World): Promise<void> {
  const watches = await open(world, 'given up');
  world.say('all of them give up');
  const startedAt = performance.now();
  await world.load.call('closeStreams');
  await world.untilWaiting(0);
  const { recoveryMs } = world.sizes.bounds;
  world.add('given up: nobody waits after', performance.now() - startedAt, 'ms', { atMost: recoveryMs });
  await world.untilWatches('given up', watches);
  await world.setQueue('held', { paused: false });
  await world.untilDone();
}

async function readToTheEnd(world: World): Promise<void> {
  const { streams: count, bounds } = world.sizes;
  const { load, gateway } = world;
  const before = await collect(gateway);
  const watches = await open(world, 'streams');
  const held = await collect(gateway);
  world.add('streams: a stream takes', ((held.heapMb - before.heapMb) * 1024) / count, 'KB', { atMost: 100 });
  world.say('their tasks end');
  const sampler = new Sampler(world.services, world.servers);
  const endedAt = performance.now();
  await world.setQueue('held', { paused: false });
  const ends = await load.call('streamEnds');
  world.add('streams: the last one ended after', performance.now() - endedAt, 'ms', { atMost: 2 * bounds.recoveryMs });
  const samples = await sampler.stop();
  world.add('streams: memory at most', samples.peakMb(gateway.id) - before.residentMb, 'MB', { atMost: bounds.peakMb });
  const late = samples.worstLoopDelayMs(gateway.id);
  world.add('streams: event loop late at most', late, 'ms', { atMost: bounds.loopDelayMs });
  world.add('streams: ended with OK', ends.codes['0'] ?? 0, '', { exactly: count });
  world.add('streams: told the final state', ends.final, '', { exactly: count });
  world.add('streams: changes told', ends.changes / count, 'a task', { atLeast: 2 });
  await world.untilWatches('streams', watches);
}

/** A task that is as large as may be, so that each answer is. */
const largePayload = 'x'.repeat(250_000);

async function deaf(world: World): Promise<void> {
  const { deaf: count } = world.sizes;
  const { stack, port } = world;
  const { id } = await stack.client.submit({ type: 'echo', payload: largePayload });
  await stack.client.wait(id);
  world.acknowledged.push(Number(id.slice('task-'.length)));
  await world.setQueue('held', { paused: true });
  const [waiting = 0] = await world.submitMany(1, { type: 'echo', queue: 'held', payload: largePayload });
  await oneKind(world, 'deaf, a large task', () =>
    world.load.call('openDeafHttp', { port, connections: count, path: `/tasks/${id}`, requests: 10 }),
  );
  await oneKind(world, 'deaf, stream of a task', () =>
    world.load.call('openDeafHttp', {
      ...{ port, connections: count, requests: 1 },
      path: `/tasks/${taskIdOf(waiting)}/events`,
    }),
  );
  await oneKind(world, 'deaf, gRPC, a large task', () => openDeafCalls(world, 'GetTask', id));
  await oneKind(world, 'deaf, gRPC, stream of a task', () => openDeafCalls(world, 'WatchTask', taskIdOf(waiting)));
  await oneKind(world, 'deaf, gRPC, all events', () => openDeafCalls(world, 'WatchEvents', ''));
  await world.setQueue('held', { paused: false });
}

const callsPerConnection = 20;

function openDeafCalls(world: World, method: string, id: string): Promise<void> {
  const message = id === '' ? '' : Buffer.from(`\x0a${String.fromCharCode(id.length)}${id}`).toString('base64');
  const connections = Math.ceil(world.sizes.deaf / callsPerConnection);
  const address = world.stack.gateway.grpcAddress;
  return world.load.call('openDeafGrpc', { address, connections, callsPerConnection, method, message });
}

/** While they are there, others go on, and what waits for them is bounded; once they are gone, it is nothing. */
async function oneKind(world: World, what: string, open: () => Promise<void>): Promise<void> {
  const { bounds, phaseSeconds } = world.sizes;
  world.say(what);
  const before = await collect(world.gateway);
  const sampler = new Sampler(world.services, world.servers);
  await open();
  await world.flood({ seconds: phaseSeconds });
  const samples = await sampler.stop();
  const held = await collect(world.gateway);
  const { open: left, ended } = await world.load.call('deafState');
  world.add(`${what}: connections left of ${left + ended}`, left, '');
  world.add(`${what}: held`, held.heapMb - before.heapMb, 'MB', { atMost: bounds.peakMb / 2 });
  world.add(`${what}: memory at most`, samples.peakMb(world.gateway.id) - before.residentMb, 'MB', {
    atMost: bounds.peakMb,
  });
  await world.load.call('dropDeaf');
  await world.untilWaiting(0);
}

// A queue at its limit, and all queues together at theirs, with a client that submits as fast as it can over both faces, each of another
// gateway. It is refused in the words that there are for it, everybody else goes on, and once workers get on so do its submits.

import { taskIdOf } from '../../../domain/task-id.ts';
import type { FloodResult } from '../loads/flood.ts';
import { type Errand, PoliteClient, type Served } from '../polite-client.ts';
import { portOf, type Scenario, type World } from '../world.ts';

const samplesMs = 100;

export const limit: Scenario = {
  name: 'limit',
  about: 'queues at their limits: refusals, who goes on meanwhile, and the recovery',
  gateways: 2,
  environment: ({ among, unfinishedMax }) => ({
    gateway: { MAX_UNFINISHED_TASKS: Math.floor(among / 2) + unfinishedMax },
  }),
  run: async (world) => {
    await oneQueue(world);
    await allQueues(world);
  },
};

/** Paused, so that nothing leaves it; then slowly worked off; then let go. */
async function oneQueue(world: World): Promise<void> {
  const { sizes } = world;
  const { queuedMax } = sizes;
  world.say('a queue at its limit');
  await world.setQueue('limited', { paused: true, maxQueued: queuedMax });
  const polite = new PoliteClient(world.port, await errands(world));
  const flood = await world.flood({ ...bothGateways(world), queue: 'limited' });
  tellFlood(world, 'maxQueued', flood);
  const waiting = await queuedIn(world, 'limited');
  world.add('maxQueued: waiting', waiting, 'tasks', { exactly: flood.acknowledged.length });
  // What the other gateway has taken since the last count of the master, this one does not know of.
  world.add('maxQueued: over the limit', waiting - queuedMax, 'tasks', { atMost: queuedMax });
  await whileWorkedOff(world);
  tellServed(world, 'maxQueued', await polite.stop());
  await world.setQueue('limited', { paused: false, ratePerSecond: null });
  await world.setQueue('spare', { paused: false });
  await takenAgain(world, 'maxQueued', 'limited');
  await world.untilDone();
  await world.setQueue('limited', { maxQueued: null });
}

/** At its limit all the time, and some of it leaves: how many wait is a count that changes while one looks. */
async function whileWorkedOff(world: World): Promise<void> {
  const { queuedMax, phaseSeconds } = world.sizes;
  world.say('a queue at its limit that is worked off');
  await world.setQueue('limited', { paused: false, ratePerSecond: Math.ceil(queuedMax / 4) });
  let most = 0;
  let looking = true;
  const looks = (async () => {
    while (looking) {
      most = Math.max(most, await queuedIn(world, 'limited'));
      await new Promise((resolve) => setTimeout(resolve, samplesMs));
    }
  })();
  const flood = await world.flood({ ...bothGateways(world), queue: 'limited', seconds: 2 * phaseSeconds });
  looking = false;
  await looks;
  tellFlood(world, 'worked off', flood);
  world.add('worked off: at most over the limit', Math.max(0, most - queuedMax), 'tasks', { atMost: queuedMax });
}

async function allQueues(world: World): Promise<void> {
  const { unfinishedMax } = world.sizes;
  world.say('all queues at their limit');
  await world.setQueue('big', { paused: true });
  const polite = new PoliteClient(world.port, readErrands(await doneTask(world)));
  // In batches it is reached soon.
  const filling = await world.flood({ ...bothGateways(world), queue: 'big', tasks: 50, lanes: 4 });
  const flood = await world.flood({ ...bothGateways(world), queue: 'big' });
  tellFlood(world, 'MAX_UNFINISHED_TASKS', flood);
  world.faults('MAX_UNFINISHED_TASKS: batches answered wrongly', filling.wrong);
  const waiting = await queuedIn(world, 'big');
  world.add('MAX_UNFINISHED_TASKS: over the limit', waiting - unfinishedMax, 'tasks', { atMost: unfinishedMax });
  tellServed(world, 'MAX_UNFINISHED_TASKS', await polite.stop());
  await world.setQueue('big', { paused: false });
  await takenAgain(world, 'MAX_UNFINISHED_TASKS', 'big');
}

function bothGateways({ stack }: World) {
  return { httpPort: portOf(stack.client.url), grpcAddress: stack.gateways[1]?.grpcAddress ?? null };
}

function tellFlood(world: World, what: string, { refused, seconds, wrong, refusedMs }: FloodResult): void {
  const { bounds } = world.sizes;
  world.add(`${what}: refused`, refused / seconds, '1/s', { atLeast: 1 });
  world.add(`${what}: refusal p50`, refusedMs.p50, 'ms', { atMost: bounds.p50Ms });
  world.add(`${what}: refusal p99`, refusedMs.p99, 'ms', { atMost: bounds.p99Ms });
  world.faults(`${what}: submits answered neither 201 nor as a refusal`, wrong);
}

/** `patience`: so many times as long, and as often refused, as elsewhere. */
export function tellServed(world: World, what: string, served: ReadonlyMap<string, Served>, patience = 1): void {
  const { bounds } = world.sizes;
  for (const [errand, { latency, refused, wrong }] of served) {
    world.add(`${what}: ${errand} p50`, latency.p50, 'ms', { atMost: bounds.p50Ms });
    world.add(`${what}: ${errand} p99`, latency.p99, 'ms', { atMost: patience * bounds.p99Ms });
    const atMost = patience * bounds.refusedPercent;
    world.add(`${what}: ${errand} refused for the moment`, 100 * refused, '%', { atMost });
    world.faults(`${what}: ${errand} answered wrongly`, wrong);
  }
}

/** One submit after the other, as a client does that heeds the refusal, until one is taken. */
async function takenAgain(world: World, what: string, queue: string): Promise<void> {
  const startedAt = performance.now();
  let status = 0;
  while (status !== 201 && performance.now() - startedAt < 2 * world.sizes.bounds.recoveryMs) {
    const answer = await world.stack.client.request('POST', '/tasks', { type: 'echo', queue });
    status = answer.status;
    if (status === 201) world.acknowledged.push(Number(answer.body.id.slice('task-'.length)));
    else await new Promise((resolve) => setTimeout(resolve, samplesMs));
  }
  const ms = status === 201 ? performance.now() - startedAt : Number.NaN;
  world.add(`${what}: taken again after`, ms, 'ms', { atMost: world.sizes.bounds.recoveryMs });
}

async function queuedIn({ stack }: World, name: string): Promise<number> {
  const { body } = await stack.client.request('GET', '/queues');
  const { queues } = body as unknown as { queues: { name: string; scheduled: number; queued: number }[] };
  const found = queues.find((queue) => queue.name === name);
  return (found?.scheduled ?? 0) + (found?.queued ?? 0);
}

export async function doneTask(world: World): Promise<string> {
  const { id } = await world.stack.client.run({ type: 'echo' });
  world.acknowledged.push(Number(id.slice('task-'.length)));
  return id;
}

/** What always goes, at any limit of tasks. */
export function readErrands(done: string): Readonly<Record<string, Errand>> {
  return {
    get: { method: 'GET', path: () => `/tasks/${done}`, statuses: [200] },
    list: { method: 'GET', path: () => '/tasks?limit=10', statuses: [200] },
    stats: { method: 'GET', path: () => '/stats', statuses: [200] },
  };
}

/** And what goes in other queues. */
async function errands(world: World): Promise<Readonly<Record<string, Errand>>> {
  await world.setQueue('spare', { paused: true });
  const spare = await world.submitMany(world.sizes.queuedMax, { type: 'echo', queue: 'spare' });
  return {
    ...readErrands(await doneTask(world)),
    ...submitErrand(world),
    cancel: {
      method: 'POST',
      path: () => `/tasks/${taskIdOf(spare.pop() ?? 0)}/cancel`,
      statuses: spare.length === 0 ? [] : [202],
    },
  };
}

export function submitErrand(world: World): Readonly<Record<string, Errand>> {
  return {
    'submit and wait': {
      method: 'POST',
      path: () => '/tasks?wait=30s',
      body: JSON.stringify({ type: 'echo', queue: 'other', priority: 50 }),
      statuses: [201],
      onAnswer: (text) => {
        const { id, state } = JSON.parse(text);
        world.acknowledged.push(Number(id.slice('task-'.length)));
        if (state !== 'succeeded') world.fault(`${id} was waited for and is ${state}`);
      },
    },
  };
}

// Clients that cost without asking for anything: the largest bodies and batches as fast as they can be sent, headers that dribble, connections that
// say nothing, and floods of what is no request. A polite client is served all the while, and nothing is left of them.

import { PoliteClient } from '../polite-client.ts';
import { Sampler } from '../processes.ts';
import type { Scenario, World } from '../world.ts';
import { doneTask, readErrands, submitErrand, tellServed } from './limit.ts';

/** Ten seconds for headers, looked at every two; and a machine that is busy. */
const heldMsMax = 20_000;

export const nuisance: Scenario = {
  name: 'nuisance',
  about: 'huge bodies, full batches, dribbled headers, idle connections, floods of nonsense',
  run: async (world) => {
    const sampler = new Sampler(world.services, world.servers);
    const errands = { ...readErrands(await doneTask(world)), ...submitErrand(world) };
    const phase = async (what: string, disturb: () => Promise<void>) => {
      world.say(what);
      const polite = new PoliteClient(world.port, errands);
      await disturb();
      tellServed(world, what, await polite.stop());
    };
    await phase('batches', () => batches(world));
    await phase('nonsense', () => nonsense(world));
    await phase('slow', () => slow(world));
    const samples = await sampler.stop();
    const { bounds } = world.sizes;
    for (const id of samples.ids) world.add(`${id}: memory at most`, samples.peakMb(id), 'MB');
    for (const { id } of world.services) {
      world.add(`${id}: event loop late at most`, samples.worstLoopDelayMs(id), 'ms', { atMost: bounds.loopDelayMs });
    }
  },
};

async function batches(world: World): Promise<void> {
  const { phaseSeconds } = world.sizes;
  const result = await world.flood({ tasks: 1000, lanes: 2, seconds: phaseSeconds, type: 'echo', queue: 'batches' });
  world.add('batches: acknowledged', result.acknowledged.length / result.seconds, 'tasks/s', { atLeast: 1 });
  world.faults('batches: answered otherwise', result.wrong);
  await world.untilDone();
}

async function nonsense(world: World): Promise<void> {
  const { phaseSeconds, lanes } = world.sizes;
  const input = { port: world.port, lanes, seconds: 2 * phaseSeconds, kinds: kindsOfNonsense() };
  const { statuses, perSecond } = await world.load.call('sendNonsense', input);
  world.add('nonsense: refused', perSecond, '1/s', { atLeast: 1 });
  const taken = Object.keys(statuses).filter((status) => !['400', '408', '413', '415', '431', 'none'].includes(status));
  world.faults('nonsense: answered as if it were a request', taken);
}

/** Those with a repetition go on for as long as they are read. */
function kindsOfNonsense() {
  const head = 'POST /tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n';
  const large = `{"type":"echo","payload":"${'x'.repeat(900_000)}"}`;
  const deep = '['.repeat(500_000);
  const texts: [string, number][] = [
    ['GET\r\n\r\n', 1],
    ['nonsense\r\n', 100_000],
    [`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\na: ${'x'.repeat(100_000)}`, 100],
    [`${head}Content-Length: 1000000000\r\n\r\n{"type":"${'x'.repeat(60_000)}`, 1],
    [`${head}Connection: close\r\nContent-Length: ${large.length}\r\n\r\n${large}`, 1],
    [`${head}Connection: close\r\nContent-Length: ${deep.length}\r\n\r\n${deep}`, 1],
    [
      `${head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${`10000\r\n${'x'.repeat(65_536)}\r\n`.repeat(20)}`,
      1,
    ],
  ];
  const random = Buffer.from(Array.from({ length: 10_000 }, (_, i) => (i * 7919) % 256));
  return [
    ...texts.map(([text, repeat]) => ({ bytes: Buffer.from(text).toString('base64'), repeat })),
    { bytes: random.toString('base64'), repeat: 1 },
  ];
}

async function slow(world: World): Promise<void> {
  const { connections } = world.sizes;
  const each = { port: world.port, connections: Math.ceil(connections / 2) };
  const [dribbled, idle] = await Promise.all([
    world.load.call('holdConnections', { ...each, begin: 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\na: ', dribble: 'b' }),
    world.load.call('holdConnections', { ...each, begin: '', dribble: '' }),
  ]);
  for (const [what, { statuses, heldMs }] of Object.entries({ dribbled, idle })) {
    world.add(`slow: ${what} and told 408`, statuses['408'] ?? 0, '', { exactly: each.connections });
    world.add(`slow: ${what} and ended after, at most`, heldMs.max, 'ms', { atMost: heldMsMax });
  }
}

// The whole stack of `npm start` at rest, two masters, two workers and a gateway: what each process takes of a processor, and what
// they ask of ZooKeeper, counted by proxies in between.

import { cpuSeconds } from '../../test/support/process-usage.ts';
import { RequestMeter } from '../../test/support/request-costs.ts';
import { type Process, Stack } from '../../test/support/stack.ts';
import { benchStackOptions } from '../stack.ts';
import { startBenchZooKeeper } from '../zookeeper.ts';
import { type Bench, repeat, type Work } from './work.ts';

/** What starting and the tasks have left to be done is done by then: V8 collects what they leave half a minute later, once. */
const settleMs = 40_000;

/** What has been used and asked for until now. */
interface Reading {
  readonly at: number;
  /** Seconds of a processor, by process. */
  readonly cpu: ReadonlyMap<string, number>;
  readonly requests: number;
  readonly heartbeats: number;
}

export const idle: Work = async (bench) => {
  const { scope, sizes, say } = bench;
  const zookeeper = await startBenchZooKeeper(scope);
  const stack = new Stack(scope, zookeeper, benchStackOptions);
  const processes: Process[] = [await stack.addMaster({}, true), await stack.addMaster({}, true)];
  processes.push(await stack.addWorker({}, true), await stack.addWorker({}, true), await stack.addGateway({}, true));
  const meters = processes.flatMap(({ proxy }) => (proxy ? [new RequestMeter(proxy, stack.chroot)] : []));
  for (let i = 0; i < 100; i += 1) await stack.client.run({ type: 'echo' });
  say('coming to rest');
  await new Promise((resolve) => setTimeout(resolve, settleMs));

  const pids = [
    ...processes.map(({ id, process }) => [id.replace('ours', 'worker'), process.pid] as const),
    ['zookeeper', zookeeper.pid] as const,
  ];
  const requests = (kinds: readonly ('task' | 'clock' | 'heartbeat')[]) =>
    meters.flatMap((meter) => kinds.map((kind) => meter.requests[kind])).reduce((a, b) => a + b, 0);
  const read = (): Reading => ({
    at: performance.now(),
    cpu: new Map(pids.map(([id, pid]) => [id, cpuSeconds(pid) ?? Number.NaN])),
    requests: requests(['task', 'clock']),
    heartbeats: requests(['heartbeat']),
  });
  await repeat(bench, `at rest for ${sizes.idleSeconds} s`, async () => {
    const before = read();
    await new Promise((resolve) => setTimeout(resolve, sizes.idleSeconds * 1000));
    addFigures(bench, before, read());
  });
};

function addFigures({ figures }: Bench, before: Reading, after: Reading): void {
  const seconds = (after.at - before.at) / 1000;
  const add = (figure: string, unit: string, value: number) =>
    figures.add({ figure: `at rest: ${figure}`, unit, better: 'lower' }, value);
  const shares = [...after.cpu].map(
    ([id, used]) => [id, (100 * (used - (before.cpu.get(id) ?? Number.NaN))) / seconds] as const,
  );
  for (const [id, share] of shares) add(`CPU of ${id}`, '% of a core', share);
  add(
    'CPU of all',
    '% of a core',
    shares.reduce((sum, [, share]) => sum + share, 0),
  );
  add('ZooKeeper requests', '1/s', (after.requests - before.requests) / seconds);
  add('heartbeats', '1/s', (after.heartbeats - before.heartbeats) / seconds);
}

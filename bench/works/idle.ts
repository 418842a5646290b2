// The whole stack of `npm start` at rest, two masters, two workers and a gateway: what each process takes of a processor, and what
// they ask of ZooKeeper, counted by proxies in between.

import { RequestMeter } from '../../test/support/request-costs.ts';
import { type Process, Stack } from '../../test/support/stack.ts';
import { cpuSeconds } from '../process-usage.ts';
import { benchStackOptions } from '../stack.ts';
import { startBenchZooKeeper } from '../zookeeper.ts';
import type { Work } from './work.ts';

/** What starting has left to be done is done by then. */
const settleMs = 10_000;

export const idle: Work = async ({ scope, sizes, figures, say }) => {
  const zookeeper = await startBenchZooKeeper(scope);
  const stack = new Stack(scope, zookeeper, benchStackOptions);
  const processes: Process[] = [await stack.addMaster({}, true), await stack.addMaster({}, true)];
  processes.push(await stack.addWorker({}, true), await stack.addWorker({}, true), await stack.addGateway({}, true));
  const meters = processes.flatMap(({ proxy }) => (proxy ? [new RequestMeter(proxy, stack.chroot)] : []));
  for (let i = 0; i < 100; i += 1) await stack.client.run({ type: 'echo' });
  say(`at rest for ${sizes.idleSeconds} s`);
  await new Promise((resolve) => setTimeout(resolve, settleMs));

  const pids = [
    ...processes.map(({ id, process }) => [id.replace('ours', 'worker'), process.pid] as const),
    ['zookeeper', zookeeper.pid] as const,
  ];
  const used = () => new Map(pids.map(([id, pid]) => [id, cpuSeconds(pid) ?? Number.NaN]));
  const requests = (kinds: readonly ('task' | 'clock' | 'heartbeat')[]) =>
    meters.flatMap((meter) => kinds.map((kind) => meter.requests[kind])).reduce((a, b) => a + b, 0);
  const now = () => ({
    at: performance.now(),
    used: used(),
    own: requests(['task', 'clock']),
    beats: requests(['heartbeat']),
  });
  const before = now();
  await new Promise((resolve) => setTimeout(resolve, sizes.idleSeconds * 1000));
  const after = now();

  const seconds = (after.at - before.at) / 1000;
  const add = (figure: string, unit: string, value: number) =>
    figures.add({ figure: `at rest: ${figure}`, unit, better: 'lower' }, value);
  const shares = pids.map(
    ([id]) => ((after.used.get(id) ?? Number.NaN) - (before.used.get(id) ?? Number.NaN)) / seconds,
  );
  pids.forEach(([id], i) => {
    add(`CPU of ${id}`, '% of a core', 100 * (shares[i] ?? Number.NaN));
  });
  add('CPU of all', '% of a core', 100 * shares.reduce((a, b) => a + b, 0));
  add('ZooKeeper requests', '1/s', (after.own - before.own) / seconds);
  add('heartbeats', '1/s', (after.beats - before.beats) / seconds);
};

// What this ZooKeeper on this machine can do at all, asked through our own client: creates one by one with each answer awaited,
// pipelined, and in transactions of 50 of which four are in flight. No queue on it is faster than its share of these.

import type { Session } from '../../coordination/session.ts';
import { encodeTask } from '../../coordination/task-record.ts';
import type { Operation } from '../../coordination/zookeeper-requests.ts';
import { taskRecord } from '../../test/fault/task-record.ts';
import { openSession } from '../../test/support/stack-session.ts';
import { startBenchZooKeeper } from '../zookeeper.ts';
import { repeat, type Work } from './work.ts';

interface Shape {
  readonly figure: string;
  /** Of one transaction. */
  readonly creates: number;
  readonly inFlight: number;
}

const shapes: readonly Shape[] = [
  { figure: 'creates, one by one', creates: 1, inFlight: 1 },
  { figure: 'creates, pipelined', creates: 1, inFlight: 256 },
  { figure: 'creates, grouped', creates: 50, inFlight: 4 },
];
const secondsOfEach = 2;

export const ceilings: Work = async (bench) => {
  const zookeeper = await startBenchZooKeeper(bench.scope);
  const session = await openSession(bench.scope, zookeeper.connect);
  await session.create('/ceiling');
  for (const shape of shapes) await createsPerSecond(session, shape, secondsOfEach / 2); // warms both sides up
  await repeat(bench, 'ceilings of ZooKeeper', async () => {
    for (const shape of shapes) {
      const name = { figure: shape.figure, unit: 'creates/s', better: 'higher' } as const;
      bench.figures.add(name, await createsPerSecond(session, shape, secondsOfEach));
    }
  });
};

async function createsPerSecond(session: Session, { creates, inFlight }: Shape, seconds: number): Promise<number> {
  const data = encodeTask(taskRecord({ payload: { n: 1 } }));
  const create: Operation = { kind: 'create', path: '/ceiling/n-', data, mode: 'sequential' };
  const transaction = Array.from({ length: creates }, () => create);
  const startedAt = performance.now();
  const endAt = startedAt + seconds * 1000;
  let made = 0;
  const lane = async () => {
    while (performance.now() < endAt) {
      await session.commit(transaction);
      made += creates;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  return (made * 1000) / (performance.now() - startedAt);
}

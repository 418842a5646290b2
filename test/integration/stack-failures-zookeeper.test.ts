// Goal: ZooKeeper itself goes away under load, whole or in part, and every acknowledged task ends once. Method: real servers
// killed with kill -9 and started again on their data, all processes connected to them, traffic all the while.

import { type TestContext, test } from 'node:test';
import { type Stack, type StackZooKeeper, startStack } from '../support/stack.ts';
import { judge, Load } from '../support/stack-load.ts';
import { startEnsemble } from '../support/zookeeper-ensemble.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

async function busyStack(t: TestContext, zookeeper: StackZooKeeper): Promise<{ stack: Stack; load: Load }> {
  const stack = await startStack(t, zookeeper, { masters: 2, workers: 2, gateways: 2, sessionTimeoutMs: 4000 });
  const load = new Load(
    t,
    stack.gateways.map(({ client }) => client),
  );
  await load.more(50);
  return { stack, load };
}

test('the only server is killed and comes back, twice', async (t) => {
  const zookeeper = await startZooKeeper(t);
  const { stack, load } = await busyStack(t, zookeeper);
  for (let times = 0; times < 2; times++) {
    const killedAt = performance.now();
    await zookeeper.restart();
    const servesAt = performance.now();
    await load.more(50);
    const [down, back] = [servesAt - killedAt, performance.now() - servesAt].map(Math.round);
    t.diagnostic(`server away for ${down} ms, 50 more submits acknowledged ${back} ms after it was back`);
  }
  await load.stop();
  t.diagnostic(await judge(await stack.session, load));
});

test('the only server is away for longer than every session', async (t) => {
  const zookeeper = await startZooKeeper(t);
  const { stack, load } = await busyStack(t, zookeeper);
  await zookeeper.kill();
  await Promise.all([...stack.masters, ...stack.workers].map(({ process }) => process.waitForLog(/session is lost/)));
  await zookeeper.start();
  await load.more(50);
  await load.stop();
  t.diagnostic(await judge(await stack.session, load));
});

test('one server of three is killed, the leader of the ensemble first, then another', async (t) => {
  const ensemble = await startEnsemble(t);
  const { stack, load } = await busyStack(t, ensemble);
  const leader = await ensemble.leader();
  await leader.kill();
  await load.more(50);
  await leader.start();
  const [follower] = await ensemble.followers();
  await follower?.kill();
  await load.more(50);
  await load.stop();
  t.diagnostic(await judge(await stack.session, load));
});

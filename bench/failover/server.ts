// A server of an ensemble of three is killed: the one that the gateway is on, so that its session moves, or the ensemble's leader, so
// that nothing can be committed until there is another. Until submits are acknowledged again, and until a task is done.

import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../../test/support/eventually.ts';
import type { TaskClient } from '../../test/support/task-client.ts';
import type { TestEnsemble } from '../../test/support/zookeeper-ensemble.ts';
import type { TestZooKeeper } from '../../test/support/zookeeper-server.ts';
import { atAnyMoment, type Failover, forget } from './failover-stack.ts';

const pollMs = 5;

export async function serverKilled(failover: Failover, ensemble: TestEnsemble): Promise<void> {
  const what = "kill -9 of the gateway's server";
  await failover.repeat(what, async () => {
    const server = await moveToFollower(failover, ensemble);
    await atAnyMoment(failover.sizes.sessionMs);
    await kill(failover, server, what);
    await rejoin(failover, ensemble, server);
  });
}

export async function serverLeaderKilled(failover: Failover, ensemble: TestEnsemble): Promise<void> {
  const what = "kill -9 of the ensemble's leader";
  await failover.repeat(what, async () => {
    const server = await ensemble.leader();
    await atAnyMoment(failover.sizes.sessionMs);
    const killedAt = performance.now();
    const elected = eventually('there is another leader', async () => (await ensemble.leader()) !== server);
    const since = elected.then(() => performance.now());
    await kill(failover, server, what);
    failover.add(`${what}: to the next leader`, (await since) - killedAt);
    await rejoin(failover, ensemble, server);
  });
}

async function kill({ add, stack: { client } }: Failover, server: TestZooKeeper, what: string): Promise<void> {
  const killedAt = performance.now();
  const ended = server.kill();
  const task = await untilAcknowledged(client);
  add(`${what}: to the next acknowledged submit`, performance.now() - killedAt);
  await client.wait(task);
  add(`${what}: until that task is done`, performance.now() - killedAt);
  await ended;
}

/** Submits again as soon as one was refused. */
async function untilAcknowledged(client: TaskClient): Promise<string> {
  for (;;) {
    const outcome = await client.trySubmit({ type: 'echo' });
    if (outcome.kind === 'yes') return outcome.id;
    await delay(pollMs);
  }
}

/** Another gateway, until it is on a server that does not lead; resolves with that. */
async function moveToFollower({ stack }: Failover, ensemble: TestEnsemble): Promise<TestZooKeeper> {
  const leader = await ensemble.leader();
  for (;;) {
    const connected = stack.gateway.process.logs.findLast(({ msg }) => msg === 'connected to ZooKeeper');
    const answers = await Promise.all(ensemble.servers.map((server) => server.fourLetterWord('cons')));
    const place = answers.findIndex((text) => text.includes(`sid=0x${connected?.['session']},`));
    const server = ensemble.servers[place];
    if (!server) throw new Error('no server has the session of the gateway');
    if (server !== leader) return server;
    const { gateway } = stack;
    await gateway.process.stop();
    forget(stack.gateways, gateway);
    await stack.addGateway();
  }
}

/** Resolves when everything is as it was before. */
async function rejoin({ stack: { client } }: Failover, ensemble: TestEnsemble, server: TestZooKeeper): Promise<void> {
  await server.start();
  await eventually(
    'all servers serve',
    async () => (await ensemble.followers()).length === ensemble.servers.length - 1,
  );
  await client.run({ type: 'echo' }, 60_000);
}

// Goal: the loss of the leading master, however it goes, delays tasks and does nothing else to them. Method: two masters as
// real processes, traffic over HTTP all the while, one of them killed, stopped, frozen or cut off; the record is judged.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { type Process, type Stack, stackSessionMs, startStack } from '../support/stack.ts';
import { judge, Load } from '../support/stack-load.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

/** Two masters under traffic. */
async function busyStack(
  t: TestContext,
  sessionTimeoutMs = stackSessionMs,
): Promise<{ stack: Stack; load: Load; leader: Process; standby: Process }> {
  const stack = await startStack(t, zookeeper, { masters: 2, workers: 1, sessionTimeoutMs });
  const [leader, standby] = [await stack.leader(), await stack.standby()];
  const load = new Load(t, [stack.client]);
  await load.more(20);
  return { stack, load, leader, standby };
}

async function msUntilLeading(process: Process['process'], since: number): Promise<number> {
  await process.waitForLog(/^leading$/);
  return Math.round(performance.now() - since);
}

async function epochOf(stack: Stack): Promise<number | undefined> {
  return (await (await stack.session).exists('/epoch'))?.version;
}

test('kill -9: the standby leads once the session has expired, and every task ends', async (t) => {
  const { stack, load, leader, standby } = await busyStack(t);
  const killedAt = performance.now();
  leader.process.kill('SIGKILL');
  const ms = await msUntilLeading(standby.process, killedAt);
  t.diagnostic(`kill -9 to the standby leading: ${ms} ms with a session timeout of ${stackSessionMs} ms`);
  assert.ok(ms < stackSessionMs * 2, `${ms} ms`);
  await load.more(20);
  await load.stop();
  t.diagnostic(await judge(await stack.session, load));
});

test('SIGTERM: the standby leads at once, and the process ends cleanly', async (t) => {
  const { stack, load, leader, standby } = await busyStack(t);
  const stoppedAt = performance.now();
  const exited = leader.process.stop();
  const ms = await msUntilLeading(standby.process, stoppedAt);
  t.diagnostic(`SIGTERM to the standby leading: ${ms} ms`);
  assert.ok(ms < 1000, `${ms} ms`);
  assert.deepEqual(await exited, { code: 0, signal: null });
  await load.stop();
  t.diagnostic(await judge(await stack.session, load));
});

test('frozen past its session: it commits nothing when it wakes, and stands by under a new session', async (t) => {
  // Long enough that a busy machine ends no session besides: sessions and terms are counted here.
  const { stack, load, leader, standby } = await busyStack(t, 2 * stackSessionMs);
  assert.equal(await epochOf(stack), 1);
  leader.process.kill('SIGSTOP');
  await standby.process.waitForLog(/^leading$/);
  await load.more(20);
  leader.process.kill('SIGCONT');
  await leader.process.waitForLog(/session is lost/);
  await leader.process.waitForLog(/not leading any more/);
  await eventually('it stands by again', () => sessionsOf(leader) >= 2 && completePictures(leader) >= 2);
  await load.more(20);
  assert.deepEqual([(await stack.leader()).id, await epochOf(stack)], [standby.id, 2]);
  // And it is as good as before.
  standby.process.kill('SIGKILL');
  await eventually('it leads again', () => leader.process.logs.filter(({ msg }) => msg === 'leading').length === 2);
  await load.more(20);
  await load.stop();
  t.diagnostic(await judge(await stack.session, load));
});

test('cut off: what it sent and could not deliver in time is never applied', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 0, workers: 1 });
  const leader = await stack.addMaster({}, true);
  await leader.process.waitForLog(/^leading$/);
  const standby = await stack.addMaster();
  const load = new Load(t, [stack.client]);
  await load.more(20);
  leader.proxy?.silence('toServer'); // it still sees everything, decides, and sends commits that get stuck
  await standby.process.waitForLog(/^leading$/);
  await load.more(20);
  await leader.proxy?.heal(); // now they arrive
  await eventually('it stands by again', () => completePictures(leader) === 2);
  assert.equal(await epochOf(stack), 2);
  await load.more(20);
  await load.stop();
  t.diagnostic(await judge(await stack.session, load));
});

function sessionsOf({ process }: Process): number {
  return new Set(process.logs.flatMap((line) => (line.msg === 'connected to ZooKeeper' ? [line['session']] : []))).size;
}

function completePictures({ process }: Process): number {
  return process.logs.filter(({ msg }) => msg === 'the picture is complete').length;
}

// Goal: the test harness does what its verbs say, so that a failure elsewhere is a failure of ours. Method: a minimal wire
// client through the fault proxy to real servers, and the real zkCli; what the server did is asked on a direct connection.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startScript } from '../support/process.ts';
import { connectWire } from '../support/wire-client.ts';
import { runZkCli, startZkCli } from '../support/zkcli.ts';
import { startEnsemble } from '../support/zookeeper-ensemble.ts';
import { opcodes } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

async function proxied(t: TestContext) {
  const proxy = await startFaultProxy(t, zookeeper);
  const client = await connectWire(t, proxy.port);
  const direct = await connectWire(t, zookeeper.port);
  await direct.handshake();
  return { proxy, client, direct };
}

const settled = Symbol('settled');
/** True if `promise` has not settled after everything sent so far had the time to be answered on `direct`. */
async function isPending(promise: Promise<unknown>, direct: { ping(): Promise<unknown> }): Promise<boolean> {
  for (let i = 0; i < 3; i++) await direct.ping();
  return (await Promise.race([promise.then(() => settled), direct.ping()])) !== settled;
}

test('a server keeps its data and port over a restart, and its folder goes with the scope', async (t) => {
  let dataDir = '';
  await t.test('lives', async (t) => {
    const server = await startZooKeeper(t);
    dataDir = server.dataDir;
    const client = await connectWire(t, server.port);
    await client.handshake();
    assert.equal((await client.create('/kept')).error, 0);
    const firstPid = server.pid;
    await server.restart();
    assert.notEqual(server.pid, firstPid);
    const again = await connectWire(t, server.port);
    await again.handshake();
    assert.equal(await again.exists('/kept'), true);
    assert.match(await server.fourLetterWord('srvr'), /Mode: standalone/);
  });
  assert.equal(existsSync(dataDir), false);
});

test('a paused server keeps connections open and answers nothing until it goes on', async (t) => {
  const server = await startZooKeeper(t);
  const client = await connectWire(t, server.port);
  await client.handshake();
  server.pause();
  const reply = client.ping();
  // Its threads stop one after the other.
  await eventually('it answers nothing', async () => {
    const answer = await server.fourLetterWord('ruok', 200).catch(() => 'nothing');
    return answer === 'nothing';
  });
  server.resume();
  assert.equal((await reply).error, 0);
});

test('a port that is taken by somebody else is an error, not their server', async (t) => {
  await assert.rejects(startZooKeeper(t, { port: zookeeper.port }), /another ZooKeeper answers|ended at its start/);
});

test('an ensemble goes on without one of its servers', async (t) => {
  const ensemble = await startEnsemble(t);
  const leader = await ensemble.leader();
  assert.equal((await ensemble.followers()).length, 2);
  await leader.kill();
  const next = await eventually('another server leads', () => ensemble.leader());
  assert.notEqual(next.port, leader.port);
  await leader.start();
  assert.equal((await ensemble.leader()).port, next.port, 'who comes back follows');
});

test('the proxy passes everything on and counts it', async (t) => {
  const { proxy, client } = await proxied(t);
  const sawCreate = proxy.nextFrame((frame) => frame.opcode === opcodes.create);
  await client.handshake();
  assert.equal((await client.create('/passed')).error, 0);
  assert.equal((await client.ping()).error, 0);
  assert.equal((await sawCreate).connection, 1);
  assert.deepEqual([proxy.counters.toServer.frames, proxy.counters.toServer.pings], [3, 1]);
  assert.deepEqual([proxy.counters.toClient.frames, proxy.counters.toClient.pings], [3, 1]);
  assert.equal(proxy.connections, 1);
});

test('cut breaks the connections that are there; refuse keeps new ones out until accept', async (t) => {
  const { proxy, client } = await proxied(t);
  await client.handshake();
  proxy.cut();
  await client.closed;
  assert.equal(proxy.connections, 0);
  const next = await connectWire(t, proxy.port);
  await next.handshake();
  proxy.refuse();
  await assert.rejects(connectWire(t, proxy.port), /ECONNREFUSED/);
  assert.equal((await next.ping()).error, 0);
  await proxy.accept();
  await (await connectWire(t, proxy.port)).handshake();
  assert.equal(proxy.connectionsSeen, 3);
});

test('a silent link swallows everything both ways, and delivers it when it heals', async (t) => {
  const { proxy, client, direct } = await proxied(t);
  await client.handshake();
  proxy.silence();
  const reply = client.create('/late');
  assert.equal(await isPending(reply, direct), true);
  assert.equal(await direct.exists('/late'), false);
  await proxy.heal();
  assert.equal((await reply).error, 0);
});

test('a link that is silent towards the client only: the write is applied and nobody hears of it', async (t) => {
  const { proxy, client, direct } = await proxied(t);
  await client.handshake();
  proxy.silence('toClient');
  const answered = proxy.nextFrame((frame) => frame.direction === 'toClient');
  const reply = client.create('/unheard');
  await answered;
  assert.equal(await isPending(reply, direct), true);
  assert.equal(await direct.exists('/unheard'), true);
});

test('a new connection through a silent link is accepted and its handshake never answered', async (t) => {
  const { proxy, direct } = await proxied(t);
  proxy.silence();
  const late = await connectWire(t, proxy.port);
  assert.equal(await isPending(late.handshake(), direct), true);
});

test('delay', async (t) => {
  const { proxy, client } = await proxied(t);
  await client.handshake();
  proxy.delay(40);
  const start = performance.now();
  await client.ping();
  assert.ok(performance.now() - start >= 79);
});

test('swallowNextReply: the write is applied, its reply is lost, and the connection with it', async (t) => {
  const { proxy, client, direct } = await proxied(t);
  await client.handshake();
  const swallowed = proxy.swallowNextReply(
    (opcode, request) => opcode === opcodes.create && request.includes('/swallowed'),
  );
  assert.equal((await client.create('/other')).error, 0);
  void client.create('/swallowed');
  assert.equal((await swallowed).error, 0);
  await client.closed;
  assert.deepEqual(
    client.replies.map((reply) => reply.xid),
    [1],
  );
  assert.equal(await direct.exists('/swallowed'), true);
});

test('dropNextRequest: the write never arrives, and the connection is lost', async (t) => {
  const { proxy, client, direct } = await proxied(t);
  await client.handshake();
  const dropped = proxy.dropNextRequest((opcode) => opcode === opcodes.create);
  void client.create('/dropped');
  await dropped;
  await client.closed;
  assert.equal(await direct.exists('/dropped'), false);
});

test('the real zkCli: commands, watches, and ephemeral znodes that go with its session', async (t) => {
  const cli = await startZkCli(t, zookeeper.connect);
  await cli.run('create /tasks');
  await cli.run('ls -w /tasks');
  assert.match(await cli.run('create -s /tasks/task- "echo hello"'), /Created \/tasks\/task-0000000000/);
  await cli.waitForOutput(/type:NodeChildrenChanged path:\/tasks/);
  assert.match(await cli.run('get /tasks/task-0000000000'), /echo hello/);
  await cli.run('create -e /master 127.0.0.1:1');
  const direct = await connectWire(t, zookeeper.port);
  await direct.handshake();
  assert.equal(await direct.exists('/master'), true);
  await cli.close();
  assert.equal(await direct.exists('/master'), false);
  assert.match(
    await runZkCli(t, zookeeper.connect, ['get /tasks/task-0000000000', 'ls /tasks']),
    /echo hello.*\[task-/s,
  );
});

test('a service process: log lines, exit, and a wait that cannot succeed says what was printed', async (t) => {
  const script = fileURLToPath(new URL('../support/sample-service.js', import.meta.url));
  const service = startScript(t, script, { MASTER_ID: 'sample' });
  const line = await service.waitForLog(/ready/);
  assert.equal(line['process'], 'sample');
  await assert.rejects(service.waitForLog(/never/, 1), /no output .*never.*ready/s);
  assert.deepEqual(await service.stop(), { code: 0, signal: null });
  await assert.rejects(service.waitForLog(/never/), /it ended \(0\)/);
});

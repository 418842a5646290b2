// Goal: what a worker was running when it was killed, stopped, frozen or cut off is recorded once and runs again where it
// may. Method: real workers with slots for a few tasks; who is to run a task is settled by types that one worker has.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive } from '../support/process.ts';
import { calmSessionMs, type Process, type Stack, startStack } from '../support/stack.ts';
import { createGate, temporaryFolder, writeHandlers } from '../support/stack-handlers.ts';
import type { Task } from '../support/task-client.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

const outcomes = ({ attempts }: Task) => attempts.map(({ outcome, worker }) => [outcome, worker]);
const registrations = ({ process }: Process) => process.logs.filter(({ msg }) => msg === 'registered').length;

/** One worker; a second is to be added when the first has its tasks. */
function stackOfOne(t: TestContext, env = {}): Promise<Stack> {
  return startStack(t, zookeeper, { worker: env });
}

/** A command that says where it runs and does not end by itself the first time. */
function commandOnce(folder: string) {
  const file = join(folder, 'pid');
  return {
    payload: `[ -e ${file} ] && exec echo again; echo $$ > ${file}; sleep 1000`,
    pid: () => eventually('the command runs', () => Number(readFileSync(file, 'utf8').trim())),
  };
}

test('kill -9: its attempts are lost, another worker runs the tasks, and no command outlives it', async (t) => {
  const stack = await stackOfOne(t);
  const { client } = stack;
  const command = commandOnce(temporaryFolder(t));
  const shell = await client.submit({ type: 'shell', payload: command.payload });
  const once = await client.submit({ type: 'sleep', payload: { ms: 60_000 }, maxAttempts: 1 });
  const pid = await command.pid();
  await client.untilRunning(once.id);
  const [first] = stack.workers;
  await stack.addWorker();
  const killedAt = performance.now();
  first?.process.kill('SIGKILL');
  const failed = await client.wait(once.id);
  t.diagnostic(`kill -9 of a worker to the end of its task: ${Math.round(performance.now() - killedAt)} ms`);
  assert.deepEqual(
    [failed.state, failed.error?.code, outcomes(failed)],
    ['failed', 'worker_lost', [['lost', 'ours1']]],
  );
  const done = await client.wait(shell.id);
  assert.deepEqual(outcomes(done), [
    ['lost', 'ours1'],
    ['succeeded', 'ours2'],
  ]);
  assert.equal(isAlive(pid), false);
  const session = await stack.session;
  await eventually('its folder is removed', async () => !(await session.exists('/assign/ours1')));
});

test('SIGTERM: what is short finishes, what is long is handed back unpunished, and nothing stays behind', async (t) => {
  const handlers = { HANDLERS_DIR: writeHandlers(t, ['gated']), WORKER_DRAIN_GRACE_MS: 1000 };
  const stack = await stackOfOne(t, handlers);
  const { client } = stack;
  const session = await stack.session;
  const gate = createGate(t);
  const command = commandOnce(temporaryFolder(t));
  const short = await client.submit({ type: 'sleep', payload: { ms: 400 } });
  const long = await client.submit({ type: 'gated', payload: { until: gate.path }, maxAttempts: 1 });
  const shell = await client.submit({ type: 'shell', payload: command.payload, maxAttempts: 1 });
  for (const { id } of [short, long, shell]) await client.untilRunning(id);
  await command.pid();
  const [first] = stack.workers;
  const stoppedAt = performance.now();
  const exited = first?.process.stop();
  await first?.process.waitForLog(/^draining$/);
  await stack.addWorker();
  assert.equal((await client.run({ type: 'echo' })).worker, 'ours2'); // and nothing new to the one that drains
  assert.deepEqual(await exited, { code: 0, signal: null });
  gate.open();
  t.diagnostic(
    `drained in ${Math.round(performance.now() - stoppedAt)} ms: grace 1000 ms, and 1000 ms for a deaf handler`,
  );
  assert.deepEqual([await session.exists('/workers/ours1'), await session.exists('/assign/ours1')], [null, null]);
  const [shortDone, longDone, shellDone] = await Promise.all([short, long, shell].map(({ id }) => client.wait(id)));
  assert.deepEqual(shortDone && outcomes(shortDone), [['succeeded', 'ours1']]);
  assert.deepEqual(longDone && outcomes(longDone), [['succeeded', 'ours2']]);
  assert.deepEqual(shellDone && outcomes(shellDone), [['succeeded', 'ours2']]);
  assert.deepEqual(shellDone?.result, { exitCode: 0, stdout: 'again\n', stderr: '' });
});

test('SIGTERM without work: it is gone at once', async (t) => {
  const stack = await stackOfOne(t);
  const session = await stack.session;
  const stoppedAt = performance.now();
  assert.deepEqual(await stack.workers[0]?.process.stop(), { code: 0, signal: null });
  const ms = Math.round(performance.now() - stoppedAt);
  t.diagnostic(`SIGTERM to exit of an idle worker: ${ms} ms`);
  assert.ok(ms < 1000, `${ms} ms`);
  assert.equal(await session.exists('/workers/ours1'), null);
});

test('frozen past its session: its late outcome is recorded nowhere, and it goes on under a new session', async (t) => {
  const stack = await stackOfOne(t);
  const { client } = stack;
  const session = await stack.session;
  const { id } = await client.submit({ type: 'sleep', payload: { ms: 300 } });
  await client.untilRunning(id);
  const [first] = stack.workers;
  assert.ok(first);
  first.process.kill('SIGSTOP');
  await stack.addWorker();
  const done = await client.wait(id);
  assert.deepEqual(outcomes(done), [
    ['lost', 'ours1'],
    ['succeeded', 'ours2'],
  ]);
  const before = await session.exists(`/tasks/${id}`);
  first.process.kill('SIGCONT');
  await first.process.waitForLog(/session is lost/);
  await eventually('it registers again', () => registrations(first) === 2);
  await stack.workers[1]?.process.stop();
  assert.equal((await client.run({ type: 'echo' })).worker, 'ours1');
  assert.deepEqual(await session.exists(`/tasks/${id}`), before);
});

test('cut off from ZooKeeper: it stops what it runs before another is given it, and comes back', async (t) => {
  const stack = await startStack(t, zookeeper, { workers: 0 });
  const { client } = stack;
  const first = await stack.addWorker({}, true);
  const command = commandOnce(temporaryFolder(t));
  const { id } = await client.submit({ type: 'shell', payload: command.payload });
  const pid = await command.pid();
  await stack.addWorker();
  first.proxy?.silence();
  const lost = await client.until(id, 'is lost', ({ attempts }) => attempts.length > 0);
  assert.equal(isAlive(pid), false, 'the command is dead when the ensemble gives its task to another');
  assert.equal(lost.attempts[0]?.outcome, 'lost');
  assert.deepEqual((await client.wait(id)).worker, 'ours2');
  await first.proxy?.heal();
  await eventually('it registers again', () => registrations(first) === 2);
});

test('a short cut of the connection costs nothing', async (t) => {
  const stack = await startStack(t, zookeeper, { workers: 0, sessionTimeoutMs: calmSessionMs });
  const { client } = stack;
  const worker = await stack.addWorker({}, true);
  const { id } = await client.submit({ type: 'sleep', payload: { ms: 500 } });
  await client.untilRunning(id);
  worker.proxy?.cut();
  assert.deepEqual(outcomes(await client.wait(id)), [['succeeded', 'ours1']]);
  assert.equal(registrations(worker), 1);
});

test('a second process with the same id waits its turn, and leaves the first alone when it is stopped', async (t) => {
  const stack = await stackOfOne(t);
  const { client } = stack;
  const twin = stack.addWorker({ WORKER_ID: 'ours1' });
  const waiting = await eventually('it has been started', () => stack.workers[1]);
  await waiting.process.waitForLog(/another session is registered under this id/);
  await waiting.process.stop();
  await assert.rejects(twin, /it ended/);
  assert.deepEqual((await client.run({ type: 'echo' })).worker, 'ours1');
  const next = stack.addWorker({ WORKER_ID: 'ours1' });
  await eventually('it waits', () =>
    stack.workers[2]?.process.logs.some(({ msg }) => msg.startsWith('another session is registered')),
  );
  stack.workers[0]?.process.kill('SIGKILL');
  await next;
  assert.deepEqual((await client.run({ type: 'echo' })).worker, 'ours1');
});

// Goal: a task is cancelled by whoever creates `/tasks/<task>/cancel`, whatever it is doing. Method: one stack for the file;
// the tests run side by side, since most of their time is waiting for a grace to pass.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive } from '../support/process.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { createGate, temporaryFolder, writeHandlers } from '../support/stack-handlers.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, {
  sessionTimeoutMs: calmSessionMs,
  worker: { HANDLERS_DIR: writeHandlers(wholeFile, ['gated', 'blocking']) },
});
const { client } = stack;
const session = await stack.session;

/** Asks for the end of the task, waits for it, and checks that it is as the contract says. */
async function cancel(id: string, reason: string) {
  await session.create(`/tasks/${id}/cancel`, reason);
  const done = await client.wait(id);
  assert.deepEqual([done.state, done.error], ['cancelled', { code: 'cancelled', message: reason }]);
  await eventually('no assignment is left', async () => !(await session.exists(`/assign/ours1/${id}`)));
  return done;
}

/** A command that writes its own number and that of a child into a file, then does not end. */
function endlessCommand(folder: string, prelude = ''): { readonly command: string; pids(): Promise<number[]> } {
  const file = join(folder, 'pids');
  return {
    command: `${prelude} sleep 1000 & echo $$ $! > ${file}; wait; wait; sleep 1000`,
    pids: () => eventually('the command runs', () => readFileSync(file, 'utf8').trim().split(' ').map(Number)),
  };
}

describe('cancel', { concurrency: true }, () => {
  test('a task that waits for a worker', async () => {
    const { id } = await client.submit({ type: 'nobody-has-it' });
    const done = await cancel(id, 'not needed any more');
    assert.deepEqual([done.attempt, done.worker, done.attempts], [0, null, []]);
  });

  test('a task that waits for its time', async () => {
    const { id } = await client.submit({ type: 'echo', delayMs: 3_600_000 });
    await cancel(id, '');
  });

  test('a handler that listens to its signal', async () => {
    const { id } = await client.submit({ type: 'sleep', payload: { ms: 3_600_000 } });
    await client.untilRunning(id);
    const done = await cancel(id, 'enough slept');
    assert.equal(done.worker, 'ours1');
  });

  test('a shell command, with all of its process group', async (t) => {
    const { command, pids } = endlessCommand(temporaryFolder(t));
    const { id } = await client.submit({ type: 'shell', payload: { command } });
    const running = await pids();
    assert.deepEqual(running.map(isAlive), [true, true]);
    await cancel(id, 'stop');
    assert.deepEqual(running.map(isAlive), [false, false]);
  });

  test('a shell command that ignores SIGTERM', async (t) => {
    const { command, pids } = endlessCommand(temporaryFolder(t), "trap '' TERM;");
    const { id } = await client.submit({ type: 'shell', payload: { command } });
    const running = await pids();
    await cancel(id, 'stop now');
    assert.deepEqual(running.map(isAlive), [false, false]);
  });

  test('a handler that ignores its signal, and one that never gives its thread back', async (t) => {
    const { path } = createGate(t);
    const deaf = await client.submit({ type: 'gated', payload: { until: path } });
    const blocking = await client.submit({ type: 'blocking' });
    await Promise.all([client.untilRunning(deaf.id), client.untilRunning(blocking.id)]);
    await Promise.all([cancel(deaf.id, 'deaf'), cancel(blocking.id, 'blocking')]);
    assert.equal((await client.run({ type: 'echo', payload: 1 })).result, 1); // and the worker works
  });

  test('a task of a worker that does not let go is taken away by force, and its late outcome finds no place', async (t) => {
    await session.create('/assign/stubborn');
    await session.create('/workers/stubborn', '{"address":"127.0.0.2:1","types":["stubborn"]}', 'ephemeral');
    t.after(() => session.remove('/workers/stubborn'));
    const { id } = await client.submit({ type: 'stubborn' });
    await client.untilRunning(id);
    const before = await session.getData(`/tasks/${id}`);
    await session.create(`/tasks/${id}/cancel`, 'by force');
    const marked = await eventually('the assignment is marked', async () => {
      const znode = await session.getData(`/assign/stubborn/${id}`);
      return znode?.data.includes('withdraw') && znode;
    });
    assert.equal(JSON.parse(marked.data.toString()).withdraw, 'cancelled');
    assert.equal((await client.get(id)).state, 'running');
    const done = await client.wait(id);
    assert.deepEqual([done.state, done.worker, done.error?.message], ['cancelled', 'stubborn', 'by force']);
    assert.equal(await session.exists(`/assign/stubborn/${id}`), null);
    const after = await session.getData(`/tasks/${id}`);
    assert.deepEqual(after?.data, before?.data);
    assert.equal(after?.stat.version, (before?.stat.version ?? 0) + 1);
  });

  test('an outcome that is there already stands', async () => {
    const { id } = await client.run({ type: 'echo', payload: 'done' });
    await session.create(`/tasks/${id}/cancel`, 'too late');
    await client.run({ type: 'echo' });
    assert.equal((await client.get(id)).state, 'succeeded');
  });
});

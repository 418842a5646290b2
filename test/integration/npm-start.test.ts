// Goal: `npm start` leads to a task that ran, keeps its processes alive, keeps tasks over a restart, says clearly why it cannot
// start, and never leaves anything running. Method: the real thing on free ports with a folder of its own; that nothing is
// left is seen by every port being free again.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findFreePort, isPortFree } from '../../scripts/ports.ts';
import { onCleanup } from '../support/cleanup.ts';
import { type ServiceProcess, startScript } from '../support/process.ts';

const script = fileURLToPath(new URL('../../scripts/start.js', import.meta.url));
const readyMs = 60_000;

interface Setting {
  readonly dir: string;
  readonly ports: { HTTP_PORT: number; GRPC_PORT: number; ZOOKEEPER_PORT: number };
}

async function setting(t: TestContext): Promise<Setting> {
  const dir = mkdtempSync(join(tmpdir(), 'taskkeeper-start-'));
  onCleanup(t, () => rmSync(dir, { recursive: true, force: true }));
  const ports = {
    HTTP_PORT: await findFreePort(),
    GRPC_PORT: await findFreePort(),
    ZOOKEEPER_PORT: await findFreePort(),
  };
  return { dir, ports };
}

function start(t: TestContext, { dir, ports }: Setting, env: Record<string, string> = {}): ServiceProcess {
  return startScript(t, script, { TASKKEEPER_DIR: dir, ...ports, ...env });
}

async function startReady(t: TestContext, where: Setting): Promise<ServiceProcess> {
  const running = start(t, where);
  await running.waitForOutput(/Ctrl-C ends all of it/, readyMs);
  return running;
}

/** Runs a command as a task, by the very address and body of the printed curl line. */
async function runPrintedTask(
  running: ServiceProcess,
): Promise<{ id: string; state: string; result: { stdout: string } }> {
  const [, url = '', body = ''] = await running.waitForOutput(/curl -s '([^']+)' .* -d '([^']+)'/);
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  assert.equal(response.status, 201);
  return (await response.json()) as { id: string; state: string; result: { stdout: string } };
}

/** Resolves when nothing listens any more on a port that this stack ever had. */
async function untilNothingIsLeft({ dir, ports }: Setting): Promise<void> {
  const logDir = join(dir, 'logs');
  const logs = readdirSync(logDir).map((file) => readFileSync(join(logDir, file), 'utf8'));
  const adminPorts = logs.flatMap((log) =>
    [...log.matchAll(/"admin":"127\.0\.0\.1:(\d+)"/g)].map((match) => Number(match[1])),
  );
  assert.ok(adminPorts.length >= 4);
  for (const port of [...Object.values(ports), ...adminPorts]) {
    while (!(await isPortFree(port))) await delay(50);
  }
}

test('from start to stop, and once more with the tasks of the first time', async (t) => {
  const where = await setting(t);
  const first = await startReady(t, where);
  const task = await runPrintedTask(first);
  assert.deepEqual([task.state, task.result.stdout], ['succeeded', 'hello\n']);

  await t.test('a second one in the same folder says that one is running', async (t) => {
    const second = start(t, where);
    assert.equal((await second.exited).code, 1);
    assert.match(second.output, /npm start runs already in this folder \(process \d+, http:/);
  });

  await t.test('one elsewhere with the same ports names each port and its variable', async (t) => {
    const elsewhere = { ...(await setting(t)), ports: where.ports };
    await start(t, elsewhere).exited;
    const other = start(t, elsewhere);
    assert.equal((await other.exited).code, 1);
    assert.doesNotMatch(other.output, /former/, 'the refused one before has left nothing behind');
    for (const [variable, port] of Object.entries(where.ports)) {
      assert.match(other.output, new RegExp(`Port ${port}, .* is in use\\. Set ${variable} to a free one\\.`));
    }
  });

  await t.test('a worker that is killed is started again', async () => {
    const [, pid] = await first.waitForOutput(/worker-1 (\d+)/);
    process.kill(Number(pid), 'SIGKILL');
    await first.waitForOutput(/worker-1 ended \(SIGKILL\): started again.*worker-1 +registered/s, 30_000);
  });

  assert.deepEqual(await first.stop(), { code: 0, signal: null });
  assert.match(first.output, /Nothing is left running/);
  await untilNothingIsLeft(where);

  const again = await startReady(t, where);
  const kept = await fetch(`http://127.0.0.1:${where.ports.HTTP_PORT}/tasks/${task.id}`);
  assert.equal(((await kept.json()) as { state: string }).state, 'succeeded');
  assert.equal((await runPrintedTask(again)).state, 'succeeded');
  // A terminal's Ctrl-C: once from the terminal, once from npm, which passes its own on.
  again.kill('SIGINT');
  await again.waitForOutput(/stopping everything/);
  again.kill('SIGINT');
  assert.deepEqual(await again.exited, { code: 0, signal: null });
  assert.match(again.output, /Nothing is left running/);
});

test('killed with -9, it takes everything with it, and the next start waits for that', async (t) => {
  const where = await setting(t);
  const first = await startReady(t, where);
  first.kill('SIGKILL');
  await first.exited;
  const second = await startReady(t, where);
  assert.equal((await runPrintedTask(second)).state, 'succeeded');
  second.kill('SIGKILL');
  await untilNothingIsLeft(where);
});

test('a configuration that the services refuse ends it, with their words', async (t) => {
  const where = await setting(t);
  const running = start(t, where, { LOG_LEVEL: 'loud' });
  assert.equal((await running.exited).code, 1);
  assert.match(running.output, /LOG_LEVEL=loud must be one of/);
  assert.match(running.output, /Nothing is left running/);
});

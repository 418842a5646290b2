// Goal: the exit codes and signals that a supervisor relies on. Method: a tiny service in a real process, written here as
// text, which says "ready" through its log; the test sends signals and reads exit code and output.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type TestContext, test } from 'node:test';

const serviceUrl = new URL('../../../runtime/service.js', import.meta.url).href;
const configUrl = new URL('../../../runtime/config.js', import.meta.url).href;

const untilStopped = 'await new Promise((resolve) => stop.addEventListener("abort", resolve));';
const forEver = 'await new Promise(() => {});';

function startService(t: TestContext, body: string, options: { stopMsMax?: number; env?: NodeJS.ProcessEnv } = {}) {
  const text = `
    import { runService } from ${JSON.stringify(serviceUrl)};
    import { readMasterConfig } from ${JSON.stringify(configUrl)};
    const options = { role: 'master', readConfig: readMasterConfig, processName: (config) => config.id,
      stopMsMax: ${options.stopMsMax ?? 'null'} ?? undefined };
    await runService(options, async ({ config, log, stop }) => { ${body} });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', text], {
    env: { ...process.env, MASTER_ID: 'master-1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  const exited = once(child, 'close').then(([code]) => code as number);
  const logged = (wanted: string) =>
    new Promise<void>((resolve) => {
      const look = () => output.includes(wanted) && resolve();
      child.stdout.on('data', look);
      look();
    });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, exited, logged, output: () => output };
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} stops cleanly: exit code 0`, async (t) => {
    const service = startService(t, `log.info('ready'); ${untilStopped}`);
    await service.logged('ready');
    service.child.kill(signal);
    assert.equal(await service.exited, 0);
    assert.match(service.output(), /"process":"master-1".*the master has stopped/);
  });
}

test('it stops also when nobody reads its log any more', async (t) => {
  const service = startService(t, `log.info('ready'); ${untilStopped}`);
  await service.logged('ready');
  service.child.stdout.destroy();
  service.child.stderr.destroy();
  service.child.kill('SIGTERM');
  assert.equal(await service.exited, 0);
});

test('a second signal exits at once', async (t) => {
  const service = startService(t, `log.info('ready'); ${forEver}`);
  await service.logged('ready');
  service.child.kill('SIGTERM');
  await service.logged('SIGTERM: stopping');
  service.child.kill('SIGINT');
  assert.equal(await service.exited, 130);
});

test('a clean stop that hangs is cut off', async (t) => {
  const service = startService(t, `log.info('ready'); ${forEver}`, { stopMsMax: 20 });
  await service.logged('ready');
  service.child.kill('SIGTERM');
  assert.equal(await service.exited, 1);
  assert.match(service.output(), /not stopped after 20 ms/);
});

test('bad configuration: all faults on stderr, exit code 78', async (t) => {
  const service = startService(t, untilStopped, { env: { ADMIN_PORT: 'x', LOG_LEVEL: 'loud' } });
  assert.equal(await service.exited, 78);
  assert.match(
    service.output(),
    /taskkeeper master: bad configuration\n {2}ADMIN_PORT=x must be .*\n {2}LOG_LEVEL=loud/,
  );
});

for (const [name, body] of [
  ['main throws', 'throw new Error("boom");'],
  ['an exception nobody catches', `setImmediate(() => { throw new Error("boom"); }); ${forEver}`],
  ['a rejection nobody handles', `void Promise.reject(new Error("boom")); ${forEver}`],
] as const) {
  test(`${name}: logged as fatal, exit code 1`, async (t) => {
    const service = startService(t, body);
    assert.equal(await service.exited, 1);
    assert.match(service.output(), /"level":60.*boom/);
  });
}

// Goal: a process that was stopped for longer than its session lives (a laptop's lid, a paused virtual machine, a long
// pause of the kernel) considers itself lost when it wakes, before it acts on anything.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { wholeFile } from '../support/cleanup.ts';
import { startScript } from '../support/process.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { gone, openSession } from './session-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);

test('stopped beyond its session and woken: lost at once, and nothing more is written', async (t) => {
  const { session: observer } = await openSession(t, zookeeper, { sessionTimeoutMs: 30_000 });
  const script = fileURLToPath(new URL('./frozen-holder.js', import.meta.url));
  const holder = startScript(t, script, { PORT: zookeeper.port, SESSION_TIMEOUT_MS: 600 });
  await holder.waitForLog(/holding/);
  await holder.waitForLog(/acted/);
  holder.kill('SIGSTOP');
  await gone(observer, '/held');
  const before = await observer.exists('/acted');
  const linesBefore = holder.logs.length;
  holder.kill('SIGCONT');
  await holder.waitForLog(/lost/);
  const refused = await holder.waitForLog(({ msg, isLost }) => msg === 'refused' && isLost === true);
  assert.deepEqual(
    { code: refused['code'], outcome: refused['outcome'] },
    { code: 'session_lost', outcome: 'not applied' },
  );
  const after = holder.logs.slice(linesBefore).map(({ msg }) => msg);
  assert.ok(!after.includes('acted'), `${after}`);
  assert.equal((await observer.exists('/acted'))?.version, before?.version);
});

// Goal: no command outlives what entitles it to run, whatever happens to the worker or to the guardian itself. Method: a
// worker-like process that is killed and frozen, and a guardian that is killed.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { monotonicMs } from '../../runtime/clock.ts';
import { groupEnded } from '../../services/worker/handlers/process-group.ts';
import { attempt, livenessPipe, startRegistry, temporaryFolder } from './worker-handlers-support.ts';

const stubborn = 'trap "" TERM INT HUP; (sleep 1000; sleep 1000) & sleep 1000; sleep 1000';

function startHarness(t: TestContext, ...args: string[]) {
  const entry = fileURLToPath(new URL('./worker-handlers-harness.js', import.meta.url));
  const child: ChildProcess = spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  assert.ok(child.stdout);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => String((await lines.next()).value);
  return { child, nextLine };
}

/** A guardian that stands still for `stopMs` before the nth of the turns that it asks for: a lease takes two, and so does a group. */
function startGuardian(t: TestContext, turn: number, stopMs: number) {
  const hook = `let turn = 0; const real = setImmediate; globalThis.setImmediate = (act) => real(() => {
    if (++turn === ${turn}) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${stopMs});
    act();
  });`;
  const entry = fileURLToPath(new URL('../../services/worker/handlers/guardian-process.js', import.meta.url));
  const imported = `data:text/javascript,${encodeURIComponent(hook)}`;
  const child = spawn(process.execPath, ['--import', imported, entry], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    say: (line: string) => void child.stdin.write(`${line}\n`),
    nextLine: async () => String((await lines.next()).value),
  };
}

test('kill -9 of the worker kills its commands, and the guardian ends', async (t) => {
  const pipe = await livenessPipe(t);
  const { child, nextLine } = startHarness(t, `${pipe.prelude} ${stubborn}`);
  const guardian = Number(await nextLine());
  await pipe.begun;
  child.kill('SIGKILL');
  await pipe.ended;
  assert.ok(await groupEnded(guardian, 5000), 'the guardian, leader of its own group, is gone');
});

test('a frozen worker loses its commands when its lease passes, and learns of it when it thaws', async (t) => {
  const pipe = await livenessPipe(t);
  const { child, nextLine } = startHarness(t, `${pipe.prelude} ${stubborn}`, '500');
  await nextLine();
  await pipe.begun;
  child.kill('SIGSTOP');
  await pipe.ended;
  child.kill('SIGCONT');
  const { error, retryable } = JSON.parse(await nextLine());
  assert.equal(error.code, 'handler_error');
  assert.match(error.message, /session could not be trusted/);
  assert.equal(retryable, true);
});

test('a command runs on as long as its lease is renewed', async (t) => {
  const { nextLine } = startHarness(t, 'sleep 1; echo done', '300');
  await nextLine();
  assert.equal(JSON.parse(await nextLine()).result.stdout, 'done\n');
});

test('a guardian that gets no processor while its lease ends reads what was renewed meanwhile before it kills', async (t) => {
  const registry = await startRegistry(t, {}, { shellHandler: true });
  const pipe = await livenessPipe(t);
  const run = attempt(registry, 'shell', `${pipe.prelude} sleep 2; echo done`);
  await pipe.begun;
  const guardian = registry.guardianProcessId() ?? 0;
  const leaseMs = 150;
  // It is to be stopped before, while and after it reads that lease.
  for (let stopAfterMs = 0; stopAfterMs < 0.6; stopAfterMs += 0.075) {
    registry.renewLease(monotonicMs() + leaseMs);
    for (const stopAt = monotonicMs() + stopAfterMs; monotonicMs() < stopAt; );
    process.kill(guardian, 'SIGSTOP');
    await delay(leaseMs + 10);
    registry.renewLease(monotonicMs() + 60_000);
    process.kill(guardian, 'SIGCONT');
  }
  const result = await run;
  assert.ok(result.kind === 'succeeded', JSON.stringify(result));
});

for (const turn of [3, 4]) {
  test(`nothing begins on a lease that passes while the guardian stands still in turn ${turn}`, async (t) => {
    const guardian = startGuardian(t, turn, 300);
    const group = spawn('sleep', ['1000'], { detached: true, stdio: 'ignore' });
    t.after(() => group.kill('SIGKILL'));
    guardian.say(`lease ${monotonicMs() + 150}`);
    guardian.say(`add ${group.pid}`);
    assert.equal(await guardian.nextLine(), `killed ${group.pid}`);
  });
}

test('a worker that dies before its command is under guard leaves nothing that runs', async (t) => {
  const file = join(await temporaryFolder(t), 'began');
  const { nextLine } = startHarness(t, `echo > ${file}`, '0', 'held');
  const group = Number(await nextLine());
  assert.ok(await groupEnded(group, 5000));
  assert.equal(existsSync(file), false);
});

test('without a guardian no command runs; the next one gets a new guardian', async (t) => {
  const registry = await startRegistry(t, {}, { shellHandler: true });
  const pipe = await livenessPipe(t);
  const run = attempt(registry, 'shell', `${pipe.prelude} ${stubborn}`);
  await pipe.begun;
  const first = registry.guardianProcessId() ?? 0;
  assert.ok(first > 1);
  process.kill(first, 'SIGKILL');
  await pipe.ended;
  const result = await run;
  assert.ok(result.kind === 'failed' && result.retryable);
  assert.match(result.error.message, /the guardian process ended/);
  assert.equal((await attempt(registry, 'shell', 'echo x')).kind, 'succeeded');
  assert.notEqual(registry.guardianProcessId(), first);
});

test('a guardian that hangs is replaced, and one that is told to end stays', async (t) => {
  const registry = await startRegistry(t, {}, { shellHandler: true });
  assert.equal((await attempt(registry, 'shell', 'true')).kind, 'succeeded');
  const first = registry.guardianProcessId() ?? 0;
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.kill(first, signal);
  assert.equal((await attempt(registry, 'shell', 'true')).kind, 'succeeded');
  assert.equal(registry.guardianProcessId(), first);
  process.kill(first, 'SIGSTOP');
  const result = await attempt(registry, 'shell', 'true');
  assert.ok(result.kind === 'failed' && result.retryable, JSON.stringify(result));
  assert.equal((await attempt(registry, 'shell', 'true')).kind, 'succeeded');
});

test('a lease that has passed lets no command run, a new one does', async (t) => {
  const registry = await startRegistry(t, {}, { shellHandler: true });
  const file = join(await temporaryFolder(t), 'count');
  registry.renewLease(monotonicMs() - 1);
  const result = await attempt(registry, 'shell', `echo x >> ${file}`);
  assert.ok(result.kind === 'failed' && result.retryable, JSON.stringify(result));
  registry.renewLease(monotonicMs() + 60_000);
  assert.equal((await attempt(registry, 'shell', `echo x >> ${file}`)).kind, 'succeeded');
});

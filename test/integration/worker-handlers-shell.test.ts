// Goal: the shell handler keeps the contract (sections 3 and 6): output and its cuts, exit codes, environment, and that
// a run is over only when nothing of its process group is left. Method: real commands; a pipe that all processes of a command
// hold tells when the last is gone.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../domain/limits.ts';
import type { Json } from '../../domain/task.ts';
import type { HandlerRegistry } from '../../services/worker/handler-registry.ts';
import { RunStop } from '../../services/worker/run-stop.ts';
import { attempt, livenessPipe, startRegistry } from './worker-handlers-support.ts';

const shellOn = { shellHandler: true };

async function succeeded(registry: HandlerRegistry, payload: Json): Promise<Record<string, Json>> {
  const result = await attempt(registry, 'shell', payload);
  assert.equal(result.kind, 'succeeded', JSON.stringify(result));
  return (result as { result: Record<string, Json> }).result;
}

async function failed(registry: HandlerRegistry, payload: Json) {
  const result = await attempt(registry, 'shell', payload);
  assert.equal(result.kind, 'failed', JSON.stringify(result));
  return result as Extract<typeof result, { kind: 'failed' }>;
}

test('a command results in its exit code and output', async (t) => {
  const registry = await startRegistry(t, {}, shellOn);
  const expected = { exitCode: 0, stdout: 'out\n', stderr: 'err\n' };
  assert.deepEqual(await succeeded(registry, 'echo out; echo err >&2'), expected);
  assert.deepEqual(await succeeded(registry, { command: 'echo out; echo err >/dev/stderr' }), expected);
  assert.deepEqual(await succeeded(registry, ''), { exitCode: 0, stdout: '', stderr: '' });
});

test('the command is not parsed twice, has no stdin and no pipe to the worker', async (t) => {
  const registry = await startRegistry(t, {}, shellOn);
  assert.equal((await succeeded(registry, `printf '%s' "a'b" '$HOME' "\\$1" '"'`))['stdout'], `a'b$HOME$1"`);
  assert.equal((await succeeded(registry, 'cat'))['stdout'], '');
  const pipeToWorker = '(true >&3) 2>/dev/null && echo open || echo closed';
  assert.equal((await succeeded(registry, pipeToWorker))['stdout'], 'closed\n');
});

test('the environment is a short list and the attempt', async (t) => {
  const environment = { PATH: process.env['PATH'], ZOOKEEPER_DIGEST_FILE: '/secret', WORKER_ID: 'w', API_KEY: 'k' };
  const registry = await startRegistry(t, {}, { ...shellOn, environment });
  const lines = String((await succeeded(registry, 'env'))['stdout'])
    .trim()
    .split('\n');
  // PWD (and in some shells SHLVL and _) is the shell's own.
  const names = lines
    .map((line) => line.split('=')[0])
    .filter((name) => !['PWD', 'OLDPWD', 'SHLVL', '_'].includes(name ?? ''));
  assert.deepEqual(names.sort(), ['PATH', 'TASKKEEPER_ATTEMPT', 'TASKKEEPER_FENCING_TOKEN', 'TASKKEEPER_TASK_ID']);
  for (const line of ['TASKKEEPER_TASK_ID=task-0000000042', 'TASKKEEPER_ATTEMPT=3']) assert.ok(lines.includes(line));
  assert.ok(lines.includes('TASKKEEPER_FENCING_TOKEN=12345678901234567890'));
});

test('another exit code and a signal fail the attempt and say so', async (t) => {
  const registry = await startRegistry(t, {}, shellOn);
  const exit = await failed(registry, 'echo some >&2; echo reason >&2; exit 3');
  assert.deepEqual(exit.error, { code: 'exit_code', message: 'the command ended with exit code 3: some\nreason' });
  assert.equal(exit.retryable, true);
  const signal = await failed(registry, 'kill -9 $$');
  assert.deepEqual(signal.error, { code: 'signal', message: 'the command was killed by SIGKILL' });
  const long = await failed(registry, 'head -c 300000 /dev/zero | tr "\\0" x >&2; echo the end >&2; exit 1');
  assert.match(long.error.message, /the end$/);
  assert.ok(long.error.message.length < limits.errorMessageCharactersMax);
});

test('payloads that are no command are refused for good', async (t) => {
  const registry = await startRegistry(t, {}, shellOn);
  const payloads: Json[] = [
    null,
    7,
    [],
    {},
    { command: 7 },
    { cmd: 'x' },
    { command: 'x', cwd: '/' },
    'a\0b',
    'x'.repeat(140_000),
  ];
  for (const payload of payloads) {
    const { error, retryable } = await failed(registry, payload);
    assert.deepEqual([error.code, retryable], ['invalid_task', false], JSON.stringify(payload).slice(0, 50));
  }
});

test('long output is cut with a flag, further where its JSON is larger', async (t) => {
  const registry = await startRegistry(t, {}, shellOn);
  const plain = await succeeded(registry, 'head -c 5000000 /dev/zero | tr "\\0" x; echo short >&2');
  assert.equal(String(plain['stdout']).length, limits.shellOutputBytesMax);
  assert.deepEqual([plain['stdoutTruncated'], plain['stderrTruncated']], [true, undefined]);
  assert.equal(plain['stderr'], 'short\n');
  const zeros = await succeeded(registry, 'head -c 65536 /dev/zero; head -c 65536 /dev/zero >&2');
  assert.deepEqual([zeros['stdoutTruncated'], zeros['stderrTruncated']], [true, true]);
  assert.ok(Buffer.byteLength(JSON.stringify(zeros)) <= limits.resultBytesMax);
});

test('what a finished command left in its group is killed, and does not hold the run up', async (t) => {
  const registry = await startRegistry(t, {}, shellOn);
  const pipe = await livenessPipe(t);
  const { stdout } = await succeeded(registry, `${pipe.prelude} (trap "" TERM HUP; sleep 1000) & echo done`);
  assert.equal(stdout, 'done\n');
  await pipe.ended;
});

test('a process that left the group and keeps the output open does not hold the run up', async (t) => {
  const registry = await startRegistry(t, {}, shellOn);
  const { stdout } = await succeeded(registry, 'setsid sh -c "echo \\$\\$; exec sleep 1000" & sleep 0.2');
  process.kill(Number(stdout), 'SIGKILL');
});

test('at the timeout the group gets SIGTERM and may end in good order', async (t) => {
  const registry = await startRegistry(t, {}, shellOn);
  const pipe = await livenessPipe(t);
  const result = await attempt(registry, 'shell', `trap "exit 0" TERM; ${pipe.prelude} while :; do sleep 0.01; done`, {
    timeoutMs: 300,
  });
  assert.equal(result.kind, 'timed_out');
  await pipe.ended;
});

test('what ignores SIGTERM, grandchildren too, is killed after the grace', async (t) => {
  const registry = await startRegistry(t, {}, shellOn);
  const pipe = await livenessPipe(t);
  const runStop = new RunStop();
  const command = `trap "" TERM; ${pipe.prelude} (sh -c "sleep 1000; sleep 1000" & sleep 1000) & sleep 1000; sleep 1000`;
  const run = attempt(registry, 'shell', command, { runStop });
  await pipe.begun;
  const before = process.hrtime.bigint();
  const why = { kind: 'withdrawn', reason: 'cancelled' } as const;
  runStop.stop(why);
  assert.deepEqual(await run, { kind: 'aborted', why });
  const tookMs = Number(process.hrtime.bigint() - before) / 1e6;
  assert.ok(tookMs >= limits.shellTermGraceMs && tookMs < limits.withdrawGraceMs, `${tookMs} ms`);
  await pipe.ended;
});

test('a lost session kills the group at once', async (t) => {
  const registry = await startRegistry(t, {}, shellOn);
  const pipe = await livenessPipe(t);
  const runStop = new RunStop();
  const run = attempt(registry, 'shell', `trap "" TERM; ${pipe.prelude} sleep 1000; sleep 1000`, {
    runStop,
  });
  await pipe.begun;
  const before = process.hrtime.bigint();
  runStop.stop({ kind: 'session_lost' });
  assert.equal((await run).kind, 'aborted');
  assert.ok(Number(process.hrtime.bigint() - before) / 1e6 < limits.shellTermGraceMs / 2);
  await pipe.ended;
});

test('many commands at a time', async (t) => {
  const registry = await startRegistry(t, {}, shellOn);
  const numbers = Array.from({ length: 40 }, (_, index) => `${index}\n`);
  const results = await Promise.all(numbers.map((number) => succeeded(registry, `echo ${number.trim()}`)));
  assert.deepEqual(
    results.map((result) => result['stdout']),
    numbers,
  );
});

// Goal: a task that is not finished by its deadline fails then, wherever it stands and whoever is there to see it; a worker that
// keeps a run beyond its timeout loses it; a task that kills its workers ends. Method: real processes, and a worker by hand
// that ignores whatever it is told.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { limits } from '../../domain/limits.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { isAlive } from '../support/process.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { createGate, temporaryFolder, writeHandlers } from '../support/stack-handlers.ts';
import type { TestSession } from '../support/stack-session.ts';
import type { Task } from '../support/task-client.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const calm = {
  sessionTimeoutMs: calmSessionMs,
  worker: { HANDLERS_DIR: writeHandlers(wholeFile, ['gated', 'flaky', 'poison']) },
};

/** From the deadline to the end of the task, as the records have it. */
function lateMs({ deadlineAt, finishedAt }: Task): number {
  return Date.parse(finishedAt ?? '') - Date.parse(deadlineAt ?? '');
}

function assertExpired(task: Task, message: RegExp): void {
  assert.deepEqual([task.state, task.error?.code], ['failed', 'expired']);
  assert.match(task.error?.message ?? '', message);
  assert.ok(lateMs(task) >= 0, `${lateMs(task)} ms`);
}

test('the deadline of tasks that wait and of tasks that run', async (t) => {
  const { client } = await startStack(t, zookeeper, calm);
  const file = join(temporaryFolder(t), 'pid');
  const gate = createGate(t);
  const deadlineMs = 1500;
  const submit = (spec: object) => client.submit({ deadlineMs, ...spec });
  const { id: endless } = await client.submit({ type: 'nobody-has-it' });
  const waiting = await Promise.all([
    submit({ type: 'nobody-has-it' }),
    submit({ type: 'echo', after: [endless] }),
    submit({ type: 'nobody-has-it', delayMs: 300 }),
  ]);
  const asleep = await submit({ type: 'sleep', payload: { ms: 60_000 } });
  const deaf = await submit({ type: 'gated', payload: { until: gate.path } });
  const shell = await submit({ type: 'shell', payload: `echo $$ > ${file}; sleep 1000` });
  const pid = await eventually('the command runs', () => Number(readFileSync(file, 'utf8').trim()));
  for (const { id } of waiting) {
    const done = await client.wait(id);
    assertExpired(done, /^the deadline of the task passed while it waited$/);
    assert.deepEqual([done.attempt, done.worker, done.attempts], [0, null, []]);
    t.diagnostic(`a waiting task ended ${lateMs(done)} ms after its deadline`);
  }
  for (const { id, type } of [asleep, deaf, shell]) {
    const done = await client.wait(id);
    assertExpired(done, /^the deadline of the task passed during attempt 1$/);
    const outcomes = done.attempts.map(({ outcome, worker, error }) => [outcome, worker, error?.code]);
    assert.deepEqual(outcomes, [['timed_out', 'ours1', 'expired']]);
    t.diagnostic(`a run of ${type} ended ${lateMs(done)} ms after the deadline`);
  }
  assert.equal(isAlive(pid), false);
  assert.equal((await client.run({ type: 'echo', payload: 1, deadlineMs: 60_000 })).result, 1);
});

test('a worker whose clock is wrong neither ends a task early nor makes its next attempt late', async (t) => {
  const stack = await startStack(t, zookeeper, { ...calm, workers: 0 });
  const clock = join(temporaryFolder(t), 'clock.mjs');
  writeFileSync(clock, 'const now = Date.now; Date.now = () => now() + 600_000;');
  await stack.addWorker({ NODE_OPTIONS: `--import=${clock}` });
  const backoff = { type: 'fixed', delayMs: 200, jitter: false };
  const spec = { type: 'flaky', payload: { succeedsAt: 3 }, backoff, deadlineMs: 60_000 };
  const task = await stack.client.wait((await stack.client.submit(spec)).id);
  assert.deepEqual([task.state, task.attempt], ['succeeded', 3]);
  assert.ok(Date.parse(task.finishedAt ?? '') - Date.parse(task.submittedAt) < 60_000, task.finishedAt ?? '');
});

test('a retry that would begin at the deadline or after it does not take place', async (t) => {
  const { client } = await startStack(t, zookeeper, calm);
  const backoff = { type: 'fixed', delayMs: 60_000, jitter: false };
  const late = await client.run({ type: 'flaky', payload: { succeedsAt: 2 }, backoff, deadlineMs: 59_000 });
  assert.deepEqual(
    [late.state, late.error, late.attempts.map(({ error }) => error?.message)],
    [
      'failed',
      { code: 'handler_error', message: 'not yet; no further attempt, since its deadline comes first' },
      ['not yet'],
    ],
  );
  const wish = { succeedsAt: 2, retryAfterMs: 60_000 };
  const wished = await client.run({ type: 'flaky', payload: wish, deadlineMs: 59_000 });
  assert.deepEqual([wished.state, wished.attempts.length], ['failed', 1]);
  const soon = { type: 'fixed', delayMs: 50 };
  const done = await client.run({ type: 'flaky', payload: { succeedsAt: 3 }, backoff: soon, deadlineMs: 59_000 });
  assert.deepEqual([done.state, done.attempt], ['succeeded', 3]);
});

test('while no master leads a worker ends its run at the deadline; what waits ends with the next master', async (t) => {
  const stack = await startStack(t, zookeeper, calm);
  const { client } = stack;
  const deadlineMs = 2000;
  const waiting = await client.submit({ type: 'nobody-has-it', deadlineMs });
  const running = await client.submit({ type: 'sleep', payload: { ms: 60_000 }, deadlineMs });
  await client.untilRunning(running.id);
  await stack.masters[0]?.process.stop();
  assertExpired(await client.wait(running.id), /during attempt 1$/);
  await eventually('its deadline is over', () => Date.now() > Date.parse(waiting.deadlineAt ?? ''));
  assert.equal((await client.get(waiting.id)).state, 'queued');
  await stack.addMaster();
  assertExpired(await client.wait(waiting.id), /while it waited$/);
});

/** A worker by hand that takes `echo` and never ends what it is given. */
async function registerStubborn(session: TestSession): Promise<void> {
  await session.create('/assign/stubborn');
  await session.create('/workers/stubborn', '{"address":"127.0.0.2:1","types":["echo"]}', 'ephemeral');
}

function untilMarked(session: TestSession, id: string): Promise<string> {
  return eventually(
    'the assignment is marked',
    async () => {
      const znode = await session.getData(`/assign/stubborn/${id}`);
      return znode && JSON.parse(znode.data.toString()).withdraw;
    },
    15_000,
  );
}

test('a worker that keeps a run beyond its timeout loses it, also to the next master; another runs the task', async (t) => {
  const stack = await startStack(t, zookeeper, { ...calm, masters: 2, workers: 0 });
  const { client } = stack;
  const session = await stack.session;
  await registerStubborn(session);
  const timeoutMs = 300;
  const { id } = await client.submit({ type: 'echo', payload: 'whole', timeoutMs, backoff: { delayMs: 0 } });
  const begun = await client.untilRunning(id);
  const before = await session.getData(`/tasks/${id}`);
  await stack.addWorker();
  assert.equal(await untilMarked(session, id), 'timed_out');
  const leader = await stack.leader();
  await leader.process.stop();
  const done = await client.wait(id);
  assert.deepEqual(
    done.attempts.map(({ outcome, worker, error }) => [outcome, worker, error?.code]),
    [
      ['timed_out', 'stubborn', 'timeout'],
      ['succeeded', 'ours1', undefined],
    ],
  );
  assert.match(done.attempts[0]?.error?.message ?? '', /worker stubborn did not end it when it was told to/);
  const [first] = done.attempts;
  const tookMs = Date.parse(first?.finishedAt ?? '') - Date.parse(begun.startedAt ?? '');
  t.diagnostic(`timeout ${timeoutMs} ms, ignored: taken away after ${tookMs} ms, over a change of masters`);
  assert.ok(tookMs >= timeoutMs + limits.timeoutGraceMs + limits.withdrawGraceMs - 100, `${tookMs} ms`);
  // What a program does that keeps to the rules and comes too late: it checks the version that its run started with.
  const late = session.commit([
    { kind: 'check', path: `/tasks/${id}`, version: before?.stat.version ?? 0 },
    { kind: 'create', path: `/tasks/${id}/status`, data: Buffer.from('late'), mode: 'persistent' },
    { kind: 'remove', path: `/assign/stubborn/${id}`, version: null },
  ]);
  await assert.rejects(late, { code: 'bad_version' });
  assert.equal((await client.get(id)).result, 'whole');
});

test('a worker by hand that keeps a run beyond the deadline loses it, and the task has failed', async (t) => {
  const stack = await startStack(t, zookeeper, { ...calm, workers: 0 });
  const { client } = stack;
  const session = await stack.session;
  await registerStubborn(session);
  const { id } = await client.submit({ type: 'echo', deadlineMs: 1000 });
  assert.equal(await untilMarked(session, id), 'expired');
  assert.equal((await client.get(id)).state, 'running');
  const done = await client.wait(id);
  assertExpired(done, /^the deadline of the task passed during attempt 1, and worker stubborn did not end it/);
  assert.equal(await session.exists(`/assign/stubborn/${id}`), null);
});

test('a task that kills each worker that runs it fails after its last attempt, and its error says so', async (t) => {
  const stack = await startStack(t, zookeeper, { worker: calm.worker, workers: 3 });
  const { client } = stack;
  const { id } = await client.submit({ type: 'poison', maxAttempts: 3 });
  const done = await client.wait(id);
  const workers = done.attempts.map(({ worker }) => worker);
  assert.deepEqual([...workers].sort(), ['ours1', 'ours2', 'ours3']);
  for (const [i, { attempt, outcome, error, worker, startedAt, finishedAt }] of done.attempts.entries()) {
    assert.deepEqual([attempt, outcome, error?.code], [i + 1, 'lost', 'worker_lost']);
    assert.equal(error?.message, `worker ${worker} was lost during attempt ${i + 1} of 3`);
    assert.ok(Date.parse(finishedAt) > Date.parse(startedAt ?? ''));
  }
  assert.deepEqual([done.state, done.error?.code], ['failed', 'worker_lost']);
  assert.equal(
    done.error?.message,
    `worker ${workers[2]} was lost during attempt 3 of 3; each of its attempts lost its worker: it may be the task that kills them`,
  );
  for (const { process } of stack.workers) assert.equal((await process.exited).signal, 'SIGKILL');
});

// Goal: whoever asks why a task is not running is told what really holds it, through both faces alike, whatever the masters do.
// Method: each thing that can hold a task is brought about on a real stack; workers that stop, are busy or serve one queue only
// are played by hand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, answerOf } from '../support/faces.ts';
import { grpcFace } from '../support/grpc-face.ts';
import { httpFace } from '../support/http-face.ts';
import { calmSessionMs, type Stack, startStack } from '../support/stack.ts';
import { createGate, writeHandlers } from '../support/stack-handlers.ts';
import type { TestSession } from '../support/stack-session.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

/** Asks until that is the reason; what is said then is the same through both faces. */
type Explained = (id: string, reason: string, message: RegExp) => Promise<Answer>;

function explainer(stack: Stack): Explained {
  const { client, grpcAddress } = stack.gateway;
  const [http, grpc] = [httpFace(client.url), grpcFace(stack.scope, grpcAddress)];
  return async (id, reason, message) => {
    const told = await eventually(`${id}: ${reason}`, async () => {
      const [byHttp, byGrpc] = [answerOf(await http.explain(id)), answerOf(await grpc.explain(id))];
      assert.deepEqual([byHttp.reason, byGrpc.reason], [reason, reason], JSON.stringify(byHttp));
      assert.deepEqual(byGrpc, byHttp);
      return byHttp;
    });
    assert.match(told.message, message);
    return told;
  };
}

async function submit(stack: Stack, spec: object): Promise<string> {
  return (await stack.client.submit(spec)).id;
}

async function put(stack: Stack, queue: string, settings: object): Promise<void> {
  const { status, body } = await stack.client.request('PUT', `/queues/${queue}`, settings);
  assert.equal(status, 200, JSON.stringify(body));
}

function reasons({ also }: Answer): string[] {
  return also.map(({ reason }: Answer) => reason);
}

test('what the task itself says: its end, its run, its time, its next attempt, those before it', async (t) => {
  const worker = { HANDLERS_DIR: writeHandlers(t, ['flaky', 'gated']) };
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs, worker });
  const explained = explainer(stack);
  const backoff = { type: 'fixed', delayMs: 3_600_000, jitter: false };
  const flaky = { type: 'flaky', payload: { succeedsAt: 9 }, backoff };
  const [done, failed, failing] = [
    await submit(stack, { type: 'echo' }),
    await submit(stack, { ...flaky, maxAttempts: 1 }),
    await submit(stack, flaky),
  ];
  await explained(done, 'succeeded', /^It succeeded at 20.*; its result is in the task\.$/);
  await explained(failed, 'failed', /with attempt 1 of 1: handler_error, .*not yet.*; retry it to run it again/);
  const why = /^Attempt 1 of 3 did not succeed on worker ours1: handler_error, .*not yet.*; the next one may start at/;
  const again = await explained(failing, 'backing_off', why);
  assert.equal(again.worker, 'ours1');
  assert.equal(Date.parse(again.until) - Date.parse(again.since), 3_600_000);
  const delayed = await stack.client.submit({ type: 'echo', runAt: '2099-01-01T00:00:00Z', queue: 'night' });
  assert.equal((await explained(delayed.id, 'delayed', /before 2099/)).until, '2099-01-01T00:00:00.000Z');
  const before = await submit(stack, { type: 'sleep', payload: { ms: 3_600_000 } });
  const after = [before, failed];
  const blocked = await submit(stack, { type: 'echo', after, afterFailure: 'wait' });
  const both = `${before} is to succeed first; ${failed} \\(not retried yet\\) did not succeed, so a retry of it has to.`;
  const waits = await explained(blocked, 'waits_for_tasks', new RegExp(both));
  assert.deepEqual([waits.state, waits.tasks], ['scheduled', after]);
  const { id: retry } = (await stack.client.request('POST', `/tasks/${failed}/retry`)).body as { id: string };
  await explained(retry, 'failed', /./);
  const retried = await explained(blocked, 'waits_for_tasks', new RegExp(`its retry ${retry} did not succeed, either`));
  assert.deepEqual(retried.tasks, [...after, retry]);
  const never = await submit(stack, { type: 'echo', after: [failed] });
  await explained(
    never,
    'failed',
    /dependency_failed, it comes after .*, which failed; .* waits for the success of .*: retry those/,
  );
  const running = await explained(
    before,
    'running',
    /^Worker ours1 runs attempt 1 of 3 since .*; its timeout ends it at/,
  );
  assert.equal(Date.parse(running.until) - Date.parse(running.since), 3_600_000);
  const gate = createGate(t);
  const deaf = await submit(stack, { type: 'gated', payload: { until: gate.path } });
  await stack.client.untilRunning(deaf);
  await stack.client.request('POST', `/tasks/${deaf}/cancel`);
  const ending = await explained(deaf, 'withdrawing', /asked to be cancelled, and worker ours1 is ending its run; at/);
  assert.equal(ending.state, 'running');
  assert.ok(Date.parse(ending.until) > Date.now());
  gate.open();
  await explained(deaf, 'cancelled', /^It was cancelled/);
});

test('other tasks have its exclusive key: one runs, one is before it in line', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  const explained = explainer(stack);
  const ids: string[] = [];
  for (const ms of [3_600_000, 1, 1, 1]) {
    ids.push(await submit(stack, { type: 'sleep', payload: { ms }, exclusiveKey: 'account 7' }));
  }
  const [first = '', ...others] = ids;
  const [second = '', , fourth = ''] = others;
  const waits = await explained(
    second,
    'waits_for_key',
    new RegExp(`^Task ${first} has its exclusive key account 7, and`),
  );
  assert.deepEqual([waits.state, waits.tasks, waits.also], ['queued', [first], []]);
  const last = await explained(
    fourth,
    'waits_for_key',
    new RegExp(`^Task ${first} has .* 2 others of that key go before`),
  );
  assert.deepEqual([last.tasks, last.position], [[first], 3]);
  await stack.client.request('POST', `/tasks/${first}/cancel`);
  for (const id of others) await explained(id, 'succeeded', /succeeded/);
});

test('its queue: paused, at its concurrency, at its rate', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  const explained = explainer(stack);
  await put(stack, 'p', { paused: true });
  await put(stack, 'c', { concurrency: 1 });
  await put(stack, 'r', { ratePerSecond: 0.001, burst: 1 });
  const sleeps = (queue: string) => submit(stack, { type: 'sleep', payload: { ms: 3_600_000 }, queue });
  const paused = await sleeps('p');
  await explained(paused, 'queue_paused', /^Queue p is paused: nothing of it starts until somebody lets it go on\.$/);
  for (const [queue, reason, limit] of [
    ['c', 'queue_concurrency', 1],
    ['r', 'queue_rate', 0.001],
  ] as const) {
    await stack.client.untilRunning(await sleeps(queue));
    const [next, last] = [await sleeps(queue), await sleeps(queue)];
    assert.equal((await explained(next, reason, new RegExp(`^Queue ${queue} `))).position, 0);
    const told = await explained(last, reason, /1 of its queue and type go first/);
    assert.deepEqual([told.limit, told.position, told.workers], [limit, 1, 1]);
    assert.equal(told.until === null, queue === 'c');
  }
  await put(stack, 'p', { paused: false });
  await explained(paused, 'running', /Worker ours1/);
  await put(stack, 'c', { concurrency: 0 });
  await explained(
    await sleeps('c'),
    'queue_concurrency',
    /^The concurrency of queue c is 0: nothing of it starts until/,
  );
});

/** A worker that the test plays; it does nothing with what it is given. */
async function playWorker(session: TestSession, id: string, record: object, ready = true): Promise<void> {
  const data = JSON.stringify({ address: 'by hand', concurrency: 1, draining: false, ...record });
  await session.create(`/workers/${id}`, data, 'ephemeral');
  if (ready) await session.create(`/assign/${id}`);
}

test('its workers: none, none of its type or queue, stopping, not ready, busy, and handing it back', async (t) => {
  const stack = await startStack(t, zookeeper, { workers: 0, sessionTimeoutMs: calmSessionMs });
  const explained = explainer(stack);
  const session = await stack.session;
  const type = 'by-hand';
  const task = await submit(stack, { type, queue: 'mail' });
  await explained(task, 'no_workers', /^No worker is registered: start one\.$/);
  await stack.addWorker();
  await explained(
    task,
    'no_worker_for_type',
    /^The only worker does not take type by-hand \(but echo, .*\): start one that has a handler/,
  );
  await playWorker(session, 'elsewhere', { types: [type], queues: ['other'] });
  await explained(task, 'no_worker_for_queue', /^None of the 2 workers takes type by-hand from queue mail/);
  await playWorker(session, 'stopping', { types: [type], draining: true });
  await explained(task, 'workers_draining', /are stopping \(1 of 3\): start another one/);
  await playWorker(session, 'late', { types: [type] }, false);
  await explained(task, 'workers_not_ready', /\(late\): a worker has to make \/assign\/late itself/);
  await session.create('/assign/late');
  const given = () => eventually('it is given', () => session.exists(`/assign/late/${task}`));
  await given();
  await explained(task, 'running', /^Worker late runs attempt 1 of 3/);
  const waiting = await submit(stack, { type, queue: 'mail' });
  const busy = await explained(
    waiting,
    'workers_busy',
    /^No slot is free at the 1 worker .* \(1, all in use\): it starts/,
  );
  assert.deepEqual([busy.workers, busy.limit, busy.position, busy.state], [1, 1, 0, 'queued']);
  await session.create(`/tasks/${waiting}/cancel`);
  for (let times = 0; times < 4; times += 1) {
    await given();
    await explained(task, 'running', /^Worker late runs/); // what the master has not read it does not count
    await session.remove(`/assign/late/${task}`);
  }
  const aside = await explained(
    task,
    'set_aside',
    /handed it back 4 times without an outcome; it is given to one again/,
  );
  assert.ok(Date.parse(aside.until) > Date.now());
});

test('what is left to a newer version says so, and what is no task ends', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  const explained = explainer(stack);
  const make = async (data: string) =>
    (await (await stack.session).create('/tasks/task-', data, 'sequential')).slice('/tasks/'.length);
  await explained(await make('{"v":9,"type":"echo"}'), 'newer_version', /upgrade the masters/);
  await explained(await make('{"v":1'), 'failed', /before its first attempt: invalid_task.*cannot be retried/);
});

test('no master leads, since when; what can be told without one is; then one by hand, then one of ours', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 2, sessionTimeoutMs: calmSessionMs });
  const explained = explainer(stack);
  const session = await stack.session;
  const sleeps = { type: 'sleep', payload: { ms: 3_600_000 } };
  const [running, done] = [await submit(stack, sleeps), await submit(stack, { type: 'echo' })];
  await explained(running, 'running', /Worker ours1/);
  const led = await explained(done, 'succeeded', /succeeded/);
  assert.match(led.leader, /^127\.0\.0\.1:\d+$/);
  const killedAt = Date.now();
  for (const { process } of stack.masters) process.kill('SIGTERM');
  await eventually('nobody leads', async () => (await session.exists('/master')) === null);
  const waiting = await submit(stack, { type: 'echo' });
  const told = await explained(
    waiting,
    'no_master',
    /^No master leads since .*, as far as this gateway knows.*start one\.$/,
  );
  assert.ok(Date.parse(told.since) >= killedAt && Date.parse(told.since) <= Date.now());
  assert.deepEqual([told.state, told.leader, told.also], ['queued', null, []]);
  assert.equal((await explained(waiting, 'no_master', /since/)).since, told.since);
  const delayed = await submit(stack, { type: 'echo', delayMs: 3_600_000 });
  assert.deepEqual(reasons(await explained(delayed, 'no_master', /leads/)), ['delayed']);
  await stack.client.request('POST', `/tasks/${delayed}/cancel`);
  assert.deepEqual(reasons(await explained(delayed, 'no_master', /leads/)), ['cancel_requested']);
  assert.deepEqual(reasons(await explained(running, 'running', /Worker ours1/)), ['no_master']);
  assert.deepEqual(reasons(await explained(done, 'succeeded', /succeeded/)), []);
  await session.create('/master', 'me', 'ephemeral');
  const byHand = await eventually('it is known', async () => {
    const now = await explained(waiting, 'no_master', /./);
    return /^Somebody made \/master by hand at/.test(now.message) && now;
  });
  assert.equal(Date.parse(byHand.since), (await session.exists('/master'))?.ctime);
  await session.remove('/master');
  await stack.addMaster();
  await explained(waiting, 'succeeded', /succeeded/);
});

test('a leading master that cannot be asked, since its address is none of its own, is told from none', async (t) => {
  const master = { ADVERTISED_HOST: '127.0.0.2' };
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs, master });
  const explained = explainer(stack);
  const told = await explained(
    await submit(stack, { type: 'nobody-runs-this' }),
    'master_unreachable',
    /^The leading master does not answer this gateway at 127\.0\.0\.2:\d+ since .*, so more cannot be said/,
  );
  assert.ok(Date.parse(told.since) <= Date.now());
  assert.match(told.leader, /^127\.0\.0\.2:\d+$/);
  const delayed = await submit(stack, { type: 'echo', delayMs: 3_600_000 });
  assert.deepEqual(reasons(await explained(delayed, 'delayed', /not to run before/)), ['master_unreachable']);
  assert.equal((await stack.client.run({ type: 'echo' })).state, 'succeeded');
});

test('a leader that was killed is not said to go on; what is said is true until another leads', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 2, master: { ZOOKEEPER_SESSION_TIMEOUT_MS: '4000' } });
  const explained = explainer(stack);
  const waiting = await submit(stack, { type: 'nobody-runs-this' });
  await explained(waiting, 'no_worker_for_type', /./);
  const killedAt = Date.now();
  (await stack.leader()).process.kill('SIGKILL');
  const told = await explained(waiting, 'master_unreachable', /it may be dead or cut off, and then another one leads/);
  assert.ok(Date.parse(told.since) >= killedAt && Date.parse(told.since) <= Date.now());
  await explained(waiting, 'no_worker_for_type', /./);
});

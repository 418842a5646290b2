// Goal: schedules over HTTP: what is put is there, what is put again changes nothing, what does not fit is refused with the place
// and with help, and what somebody wrote there by hand and cannot be read is shown as that. Method: a gateway over stores in memory.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { ServiceError } from '../../../domain/errors.ts';
import { limits } from '../../../domain/limits.ts';
import type { TaskId } from '../../../domain/task.ts';
import { assertProblem, type HttpAnswer, type HttpClient, httpClient } from '../../support/http-client.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';

let gateway: TestGateway;
let http: HttpClient;

before(async () => {
  gateway = await startTestGateway();
  http = httpClient(gateway.url);
});
beforeEach(() => {
  gateway.scheduleStore.schedules.clear();
  gateway.scheduleStore.writes = 0;
});
after(() => gateway.drain());

const task = { type: 'echo' };
const nightly = { cron: '0 3 * * MON-FRI', timeZone: 'Europe/Berlin', task };

function put(name: string, body: unknown): Promise<HttpAnswer> {
  return http.send('PUT', `/schedules/${name}`, body);
}

/** Refused for exactly these places; answers the first detail. */
async function refused(body: unknown, ...pointers: string[]): Promise<string> {
  const answer = await put('s', body);
  assertProblem(answer, 400, 'invalid-request');
  const errors = answer.json.errors as { pointer: string; detail: string }[];
  assert.deepEqual(errors.map(({ pointer }) => pointer).sort(), pointers.sort());
  return errors[0]?.detail ?? '';
}

describe('a schedule that is put', () => {
  it('is there with its defaults, and has done nothing yet', async () => {
    const before = Date.now();
    const answer = await put('nightly', nightly);
    assert.deepEqual([answer.status, answer.headers['location']], [201, '/schedules/nightly']);
    const { since, createdAt, updatedAt, nextRunAt, task: made, ...rest } = answer.json;
    assert.deepEqual(rest, {
      ...{ name: 'nightly', cron: '0 3 * * MON-FRI', timeZone: 'Europe/Berlin', everyMs: null },
      ...{ overlap: 'skip', catchUp: 1, paused: false, fault: null, runs: 0, skipped: 0, missed: 0 },
      ...{ lastTickAt: null, lastRunAt: null, lastTaskId: null, lastSkip: null },
    });
    assert.deepEqual(made, {
      ...{ type: 'echo', payload: null, queue: 'default', priority: 0, timeoutMs: 3_600_000, maxAttempts: 3 },
      ...{ labels: {}, retentionMs: 3_600_000, deadlineMs: null, exclusiveKey: null },
      backoff: { type: 'exponential', delayMs: 1000, maxDelayMs: null, jitter: true },
    });
    for (const at of [since, createdAt, updatedAt]) assert.ok(Date.parse(at) >= before && Date.parse(at) <= Date.now());
    assert.ok(Date.parse(nextRunAt) > before);
    assert.deepEqual((await http.get('/schedules/nightly')).json, answer.json);
  });

  it('once more changes nothing; a change leaves its ticks alone unless its times change', async () => {
    const first = await put('s', { everyMs: 60_000, task: { ...task, payload: { a: 1, b: 2 } } });
    const again = await put('s', {
      overlap: 'skip',
      everyMs: 60_000,
      task: { priority: 0, payload: { b: 2, a: 1 }, ...task },
    });
    assert.deepEqual([again.status, again.json, gateway.scheduleStore.writes], [200, first.json, 1]);
    assert.equal(again.headers['location'], undefined);
    const changed = await put('s', { everyMs: 60_000, task: { ...task, payload: 1 }, catchUp: 0, overlap: 'allow' });
    assert.deepEqual([changed.json.since, changed.json.nextRunAt], [first.json.since, first.json.nextRunAt]);
    assert.deepEqual([changed.json.task.payload, changed.json.catchUp, changed.json.overlap], [1, 0, 'allow']);
    await new Promise((resolve) => setTimeout(resolve, 2));
    const slower = await put('s', { everyMs: 60_001, task });
    assert.ok(slower.json.since > first.json.since);
    assert.equal(Date.parse(slower.json.nextRunAt), Date.parse(slower.json.since) + 60_001);
  });

  it('stays paused when a deployment puts it again, and is resumed where that is asked for', async () => {
    await put('s', nightly);
    const paused = await http.send('POST', '/schedules/s/pause');
    assert.deepEqual([paused.status, paused.json.paused, paused.json.nextRunAt], [200, true, null]);
    assert.equal((await put('s', nightly)).json.paused, true);
    const resumed = await put('s', { ...nightly, paused: false });
    assert.equal(resumed.json.paused, false);
    assert.ok(resumed.json.since >= paused.json.since);
    assert.equal((await put('other', { ...nightly, paused: true })).json.paused, true);
    const writes = gateway.scheduleStore.writes;
    assert.equal((await http.send('POST', '/schedules/s/resume')).json.paused, false);
    assert.equal((await http.send('POST', '/schedules/other/pause')).json.paused, true);
    assert.equal(gateway.scheduleStore.writes, writes);
  });

  it('tells how far it has come', async () => {
    await put('s', { everyMs: 60_000, task });
    const stored = gateway.scheduleStore.schedules.get('s');
    assert.ok(stored);
    const at = stored.createdAt + 60_000;
    const lastSkip = { at, why: 'unfinished' } as const;
    const counts = { runs: 3, skipped: 2, missed: 1, nextNumber: 9 };
    stored.state = { at, ...counts, lastRunAt: at - 60_000, lastTask: null, lastSkip };
    stored.lastTask = 'task-0000000009' as TaskId;
    const { json } = await http.get('/schedules/s');
    assert.deepEqual([json.runs, json.skipped, json.missed, json.lastTaskId], [3, 2, 1, 'task-0000000009']);
    assert.deepEqual([json.lastTickAt, json.lastRunAt].map(Date.parse), [at, at - 60_000]);
    assert.deepEqual(json.lastSkip, { at: new Date(at).toISOString(), why: 'unfinished' });
    assert.ok(Math.abs(Date.parse(json.nextRunAt) - at - 60_000) < 1000);
  });
});

describe('what does not fit', () => {
  it('is told with its place and with help', async () => {
    assert.match(await refused({ task }, '/cron'), /is required, or everyMs in its place/);
    assert.match(await refused({ ...nightly, everyMs: 1000 }, '/everyMs'), /together with cron/);
    assert.match(await refused({ everyMs: 1000, timeZone: 'UTC', task }, '/timeZone'), /is about cron/);
    assert.match(await refused({ cron: '0 3 * *', task }, '/cron'), /must have five fields .* it has 4/);
    assert.match(await refused({ cron: '61 * * * *', task }, '/cron'), /is no cron expression: its minute is "61"/);
    assert.match(await refused({ cron: '0 0 30 2 *', task }, '/cron'), /never comes/);
    assert.match(await refused({ ...nightly, timeZone: 'Berlin' }, '/timeZone'), /is no IANA time zone/);
    await refused({ cron: '*'.repeat(limits.cronCharactersMax + 1), task }, '/cron');
  });

  it('has bounds, and no fields that are not known or are about one time only', async () => {
    for (const everyMs of [limits.scheduleEveryMsMin - 1, limits.scheduleEveryMsMax + 1, 1000.5]) {
      await refused({ everyMs, task }, '/everyMs');
    }
    for (const everyMs of [limits.scheduleEveryMsMin, limits.scheduleEveryMsMax]) {
      assert.ok((await put('s', { everyMs, task })).status < 300);
    }
    for (const catchUp of [-1, limits.scheduleCatchUpMax + 1]) await refused({ ...nightly, catchUp }, '/catchUp');
    await refused({ ...nightly, overlap: 'queue' }, '/overlap');
    await refused({ ...nightly, paused: 'yes' }, '/paused');
    await refused({ ...nightly, every: 1 }, '/every');
    await refused({ cron: '* * * * *' }, '/task');
    await refused({ ...nightly, task: {} }, '/task/type');
    const once = { delayMs: 1, runAt: '2099-01-01T00:00:00Z', after: [], afterFailure: 'run', idempotencyKey: 'k' };
    for (const [field, value] of Object.entries(once)) {
      await refused({ ...nightly, task: { ...task, [field]: value } }, `/task/${field}`);
    }
  });

  it('is a name that none can have, or a task that is too large', async () => {
    for (const name of ['a%20b', 'x'.repeat(65), '..%2f', '%00', '%2e%2e']) {
      assertProblem(await put(name, nightly), 400, 'invalid-request');
    }
    const large = (bytes: number) => put('s', { ...nightly, task: { ...task, payload: 'x'.repeat(bytes) } });
    assert.equal((await large(limits.scheduleBytesMax - 1000)).status, 201);
    const tooLarge = await large(limits.scheduleBytesMax);
    assertProblem(tooLarge, 413, 'payload-too-large');
    assert.equal(tooLarge.json.errors[0].pointer, '/task');
    assertProblem(await large(limits.payloadBytesMax), 413, 'payload-too-large');
  });

  it('is one more than there may be', async () => {
    gateway.scheduleStore.max = 1;
    await put('s', nightly);
    const answer = await put('t', nightly);
    gateway.scheduleStore.max = Infinity;
    assertProblem(answer, 429, 'too-many-schedules');
    assert.equal(answer.headers['retry-after'], undefined);
  });
});

describe('schedules that are there', () => {
  it('are listed by name', async () => {
    assert.deepEqual((await http.get('/schedules')).json, { schedules: [] });
    for (const name of ['b', 'a', 'c']) await put(name, nightly);
    const { json } = await http.get('/schedules');
    assert.deepEqual(
      json.schedules.map(({ name }: { name: string }) => name),
      ['a', 'b', 'c'],
    );
    assert.equal(json.nextCursor, undefined);
    assert.deepEqual(json.schedules[0], (await http.get('/schedules/a')).json);
  });

  it('are listed in parts where they are too large together', async () => {
    const payload = 'x'.repeat(limits.scheduleBytesMax - 1000);
    for (let i = 10; i < 60; i += 1) await put(`s${i}`, { ...nightly, task: { ...task, payload } });
    const names: string[] = [];
    for (let cursor: string | undefined = ''; cursor !== undefined; ) {
      const { json } = await http.get(`/schedules${cursor && `?cursor=${cursor}`}`);
      names.push(...json.schedules.map(({ name }: { name: string }) => name));
      assert.ok(json.schedules.length < 50);
      cursor = json.nextCursor;
    }
    assert.deepEqual(
      names,
      Array.from({ length: 50 }, (_, i) => `s${i + 10}`),
    );
    assertProblem(await http.get('/schedules?cursor=a/b'), 400, 'invalid-request');
  });

  it('are deleted once', async () => {
    await put('s', nightly);
    assert.equal((await http.send('DELETE', '/schedules/s')).status, 204);
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['POST', '/run'],
    ] as const) {
      assertProblem(await http.send(method, `/schedules/s${path}`), 404, 'schedule-not-found');
    }
  });

  it('are shown as not readable where they are, beside the others, and can be put anew', async () => {
    await put('good', nightly);
    gateway.scheduleStore.put('odd', '{"v":1,"cron":"0 0 30 2 *","task":{"type":"echo"}}');
    const { json } = await http.get('/schedules');
    assert.deepEqual(
      json.schedules.map(({ fault }: { fault: string | null }) => fault !== null),
      [false, true],
    );
    const { fault, task: none, cron, paused, nextRunAt } = json.schedules[1];
    assert.match(fault, /"cron" never comes/);
    assert.deepEqual([none, cron, paused, nextRunAt], [null, null, null, null]);
    for (const verb of ['pause', 'resume', 'run']) {
      assertProblem(await http.send('POST', `/schedules/odd/${verb}`), 409, 'schedule-unreadable');
    }
    assert.deepEqual([(await put('odd', nightly)).json.fault, (await put('odd', nightly)).status], [null, 200]);
  });

  it('are left as they are where a newer version wrote them, until they are deleted', async () => {
    const newer = '{"v":2,"calendar":"lunar"}';
    const stored = gateway.scheduleStore.put('newer', newer);
    const answers = [await put('newer', nightly), await http.send('POST', '/schedules/newer/pause')];
    for (const answer of answers) {
      assertProblem(answer, 409, 'schedule-unreadable');
      assert.match(answer.json.detail, /A newer version of Taskkeeper wrote it: .*, or delete it\./);
    }
    assert.deepEqual([stored.data.toString(), gateway.scheduleStore.writes], [newer, 0]);
    assert.equal((await http.send('DELETE', '/schedules/newer')).status, 204);
    assert.equal((await put('newer', nightly)).status, 201);
  });

  it('cannot be told of while the ensemble does not answer', async () => {
    gateway.scheduleStore.failure = new ServiceError('coordination-unavailable', 'No.');
    const answers = await Promise.all([http.get('/schedules'), http.get('/schedules/s'), put('s', nightly)]);
    gateway.scheduleStore.failure = null;
    for (const answer of answers) assertProblem(answer, 503, 'coordination-unavailable');
  });
});

describe('a run by hand', () => {
  it('makes a task for no tick, also while it is paused', async () => {
    await put('s', { ...nightly, paused: true, task: { type: 'echo', payload: 7, labels: { a: 'b' } } });
    const answer = await http.send('POST', '/schedules/s/run');
    assert.equal(answer.status, 201);
    assert.equal(answer.headers['location'], `/tasks/${answer.json.id}`);
    assert.deepEqual([answer.json.payload, answer.json.labels], [7, { a: 'b' }]);
    assert.deepEqual(answer.json.schedule, { name: 's', at: null });
    const again = await http.send('POST', '/schedules/s/run');
    const listed = (await http.get('/tasks?schedule=s')).json.tasks as { id: string }[];
    assert.deepEqual(
      listed.map(({ id }) => id),
      [again.json.id, answer.json.id],
    );
    assert.deepEqual((await http.get('/tasks?schedule=t')).json.tasks, []);
  });

  it('is made once with a key, also when the schedule is gone by then', async () => {
    await put('s', nightly);
    await put('t', nightly);
    const run = (name: string, body?: object, headers = {}) =>
      http.send('POST', `/schedules/${name}/run`, body, headers);
    const first = await run('s', undefined, { 'idempotency-key': 'k-run' });
    assert.equal(first.status, 201);
    await http.send('DELETE', '/schedules/s');
    const again = await run('s', { idempotencyKey: 'k-run' });
    assert.deepEqual([again.status, again.json.id], [200, first.json.id]);
    assertProblem(await run('t', { idempotencyKey: 'k-run' }), 422, 'idempotency-key-reused');
    assertProblem(await run('t', { idempotencyKey: 'a' }, { 'idempotency-key': 'b' }), 400, 'invalid-request');
    assertProblem(await run('t', { key: 'a' }), 400, 'invalid-request');
  });
});

// Goal: what makes tasks over HTTP does so as the contract says: submits, batches, retries, with keys, waits and every refusal.
// Method: real requests on loopback to a gateway over a store in memory; each answer is held against the document as well.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { ServiceError } from '../../../domain/errors.ts';
import { limits } from '../../../domain/limits.ts';
import type { TaskId } from '../../../domain/task.ts';
import { assertProblem, type HttpClient, httpClient } from '../../support/http-client.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';

let gateway: TestGateway;
let http: HttpClient;

before(async () => {
  gateway = await startTestGateway();
  http = httpClient(gateway.url);
});

after(() => gateway.drain());

const json = { 'content-type': 'application/json' };

describe('POST /tasks', () => {
  it('answers 201 with the task, its address, and every field', async () => {
    const body = { type: 'echo', payload: { a: 1 }, labels: { x: 'y' } };
    const answer = await http.send('POST', '/tasks', body);
    assert.equal(answer.status, 201);
    const { id, submittedAt, ...rest } = answer.json;
    assert.equal(answer.headers['location'], `/tasks/${id}`);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.match(submittedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const none = { worker: null, progress: null, runAt: null, startedAt: null, finishedAt: null };
    const start = { queue: 'default', state: 'queued', priority: 0, attempt: 0, maxAttempts: 3, attempts: [] };
    const later = { nextAttemptAt: null, result: null };
    const alone = { deadlineAt: null, exclusiveKey: null, after: [], afterFailure: 'fail', schedule: null };
    assert.deepEqual(rest, { ...body, ...none, ...later, ...start, ...alone, error: null, retryOf: null });
  });

  it('names the places that do not fit', async () => {
    const answer = await http.send('POST', '/tasks', { type: 'a b', nonsense: 1 });
    assertProblem(answer, 400, 'invalid-request');
    const pointers = answer.json.errors.map((fault: { pointer: string }) => fault.pointer);
    assert.deepEqual(pointers.sort(), ['/nonsense', '/type']);
  });

  it('refuses with 409 to come after what is not there, and names the place', async () => {
    const answer = await http.send('POST', '/tasks', { type: 'echo', after: ['task-0099999999'] });
    assertProblem(answer, 409, 'dependency-not-found');
    assert.match(answer.json.detail, /task-0099999999.*submit that task first/);
    assert.deepEqual(answer.json.errors, [{ pointer: '/after/0', detail: 'names no task' }]);
    const tasks = [{ type: 'echo' }, { type: 'echo', after: [0, 'task-0099999999'] }];
    const batch = await http.send('POST', '/tasks/batch', { tasks });
    assertProblem(batch, 409, 'dependency-not-found');
    assert.deepEqual(batch.json.errors, [{ pointer: '/tasks/1/after/1', detail: 'names no task' }]);
  });

  const unreadable: [string, string | Buffer][] = [
    ['no body', ''],
    ['no JSON', '{"type":'],
    ['a trailing comma', '{"type":"x",}'],
    ['no UTF-8', Buffer.from([0x22, 0xff, 0x22])],
    ['UTF-8 of half a pair', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['half a pair escaped', '{"type":"x","payload":"\\ud800"}'],
    ['NUL', '\0'],
  ];
  for (const [name, body] of unreadable) {
    it(`refuses ${name} with 400`, async () => {
      assertProblem(await http.send('POST', '/tasks', body, json), 400, 'invalid-request');
    });
  }

  it('takes a byte order mark and any case of the media type', async () => {
    for (const type of ['application/json', 'Application/JSON; charset=UTF-8', 'application/json;charset="utf-8"']) {
      const answer = await http.send('POST', '/tasks', '\ufeff{"type":"echo"}', { 'content-type': type });
      assert.equal(answer.status, 201, type);
    }
  });

  const otherTypes = ['text/plain', 'application/json; charset=latin1', 'application/jsonx', 'multipart/form-data'];
  for (const type of otherTypes) {
    it(`refuses ${type} with 415`, async () => {
      const answer = await http.send('POST', '/tasks', '{"type":"echo"}', { 'content-type': type });
      assertProblem(answer, 415, 'unsupported-media-type');
    });
  }

  it('refuses a body without a type, or compressed, with 415', async () => {
    assertProblem(await http.send('POST', '/tasks'), 415, 'unsupported-media-type');
    const compressed = { ...json, 'content-encoding': 'gzip' };
    assertProblem(await http.send('POST', '/tasks', '{"type":"echo"}', compressed), 415, 'unsupported-media-type');
  });

  it('takes a payload at its limit and refuses one over it', async () => {
    const payload = 'x'.repeat(limits.payloadBytesMax - 2);
    assert.equal((await http.send('POST', '/tasks', { type: 'echo', payload })).status, 201);
    const over = await http.send('POST', '/tasks', { type: 'echo', payload: `${payload}x` });
    assertProblem(over, 413, 'payload-too-large');
  });

  it('answers the first task again for the same key and body, 422 for another body', async () => {
    const first = await http.send('POST', '/tasks', { type: 'echo', payload: 7 }, { 'Idempotency-Key': '"order-7"' });
    assert.equal(first.status, 201);
    const same = { payload: 7, type: 'echo', idempotencyKey: 'order-7', priority: 0 };
    const again = await http.send('POST', '/tasks', same);
    assert.deepEqual([again.status, again.json.id], [200, first.json.id]);
    assert.equal(again.headers['location'], undefined);
    const other = await http.send('POST', '/tasks', { type: 'echo', payload: 8 }, { 'Idempotency-Key': 'order-7' });
    assertProblem(other, 422, 'idempotency-key-reused');
  });

  it('refuses keys that differ, are doubled, empty, too long or not printable', async () => {
    const differing = { type: 'echo', idempotencyKey: 'b' };
    assertProblem(await http.send('POST', '/tasks', differing, { 'Idempotency-Key': 'a' }), 400, 'invalid-request');
    const longest = 'k'.repeat(limits.idempotencyKeyCharactersMax);
    for (const key of [['a', 'a'], '', '""', '"a', `${longest}k`, 'caf\xe9', 'a\tb']) {
      const answer = await http.send('POST', '/tasks', { type: 'echo' }, { 'Idempotency-Key': key });
      assertProblem(answer, 400, 'invalid-request');
    }
    assert.equal((await http.send('POST', '/tasks', { type: 'echo' }, { 'Idempotency-Key': longest })).status, 201);
  });

  it('waits, and answers 201 with the present state when the time is up', async () => {
    const answer = await http.send('POST', '/tasks?wait=20ms', { type: 'echo' });
    assert.deepEqual([answer.status, answer.json.state], [201, 'queued']);
    assert.equal(answer.headers['preference-applied'], undefined);
  });

  it('waits for the end by preference, and says so', async () => {
    const answer = http.send('POST', '/tasks', { type: 'echo' }, { Prefer: 'respond-async, wait=30' });
    await gateway.store.untilWatched();
    const [id] = [...gateway.store.tasks.keys()].slice(-1);
    gateway.store.finish(id as TaskId, 'succeeded', 'done');
    const { status, json: task, headers } = await answer;
    assert.deepEqual([status, task.state, task.result], [201, 'succeeded', 'done']);
    assert.equal(headers['preference-applied'], 'wait=30');
  });

  it('says what the store says', async () => {
    try {
      gateway.store.failure = new ServiceError('outcome-unknown', 'Nobody knows.');
      const unknown = await http.send('POST', '/tasks', { type: 'echo' });
      assertProblem(unknown, 503, 'outcome-unknown');
      assert.equal(unknown.headers['retry-after'], undefined);
      gateway.store.failure = new ServiceError('coordination-unavailable', 'Gone.', { retryAfterMs: 2500 });
      const unavailable = await http.send('POST', '/tasks', { type: 'echo' });
      assertProblem(unavailable, 503, 'coordination-unavailable');
      assert.equal(unavailable.headers['retry-after'], '3');
      gateway.store.failure = new ServiceError('queue-full', 'Full.');
      const full = await http.send('POST', '/tasks', { type: 'echo' });
      assertProblem(full, 429, 'queue-full');
      assert.equal(full.headers['retry-after'], '1');
    } finally {
      gateway.store.failure = null;
    }
  });
});

describe('a body that is too large', { timeout: 20_000 }, () => {
  const tooMuch = 'x'.repeat(limits.requestBodyBytesMax);

  it('is refused with 413 and the connection closed', async () => {
    const answer = await http.send('POST', '/tasks', { type: 'echo', payload: tooMuch });
    assertProblem(answer, 413, 'body-too-large');
    assert.equal(answer.headers['connection'], 'close');
  });

  it('is refused before it is sent, where its length is declared and the client asks', async () => {
    const headers = { ...json, 'content-length': limits.requestBodyBytesMax + 1, expect: '100-continue' };
    const request = httpRequest(`${gateway.url}/tasks`, { method: 'POST', headers, agent: false });
    request.flushHeaders();
    const status = await new Promise((resolve, reject) => {
      request.once('response', ({ statusCode }) => resolve(statusCode));
      request.once('continue', () => reject(new Error('it was asked for')));
      request.once('error', reject);
    });
    assert.equal(status, 413);
    request.destroy();
  });

  it('is refused while it is sent, where its length is not declared and has no end', async () => {
    const request = httpRequest(`${gateway.url}/tasks`, { method: 'POST', headers: json, agent: false });
    request.on('error', () => undefined);
    const answered = new Promise((resolve) => request.once('response', ({ statusCode }) => resolve(statusCode)));
    const chunk = Buffer.alloc(64 * 1024, 'x');
    const pour = () => {
      while (!request.destroyed && request.write(chunk));
    };
    request.on('drain', pour);
    pour();
    assert.equal(await answered, 413);
    await new Promise((resolve) => request.once('close', resolve)); // the gateway hangs up, since nobody else does
  });
});

describe('a body that the client asks leave for', () => {
  it('is asked for and taken', async () => {
    const headers = { ...json, expect: '100-continue' };
    const request = httpRequest(`${gateway.url}/tasks`, { method: 'POST', headers, agent: false });
    request.once('continue', () => request.end('{"type":"echo"}'));
    request.flushHeaders();
    const status = await new Promise((resolve) => request.once('response', (response) => resolve(response.statusCode)));
    assert.equal(status, 201);
  });
});

describe('POST /tasks/batch', () => {
  const tasks = [{ type: 'echo', payload: 1 }, { type: 'sleep' }];

  it('answers 201 with the tasks in order, 200 for a repeated key, 422 for another batch', async () => {
    const first = await http.send('POST', '/tasks/batch', { tasks }, { 'Idempotency-Key': 'batch-1' });
    assert.equal(first.status, 201);
    assert.deepEqual(
      first.json.tasks.map((task: { type: string }) => task.type),
      ['echo', 'sleep'],
    );
    const again = await http.send('POST', '/tasks/batch', { tasks, idempotencyKey: 'batch-1' });
    assert.equal(again.status, 200);
    assert.deepEqual(again.json, first.json);
    const other = await http.send('POST', '/tasks/batch', { tasks: tasks.slice(1), idempotencyKey: 'batch-1' });
    assertProblem(other, 422, 'idempotency-key-reused');
  });

  it('repeats an answer that is larger than any text can be, and breaks it off where it cannot go on', async () => {
    const size = limits.batchTasksMax;
    const many = { tasks: Array(size).fill({ type: 'echo' }), idempotencyKey: 'large' };
    const { json } = await http.send('POST', '/tasks/batch', many);
    const result = 'x'.repeat(limits.resultBytesMax);
    for (const { id } of json.tasks) gateway.store.finish(id, 'succeeded', result);
    const { hostname, port } = new URL(gateway.url);
    const headers = { 'Content-Type': 'application/json' };
    const asked = httpRequest({ hostname, port, method: 'POST', path: '/tasks/batch', headers });
    asked.end(JSON.stringify(many));
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    let bytes = 0;
    const broken = assert.rejects(async () => {
      for await (const chunk of answer) {
        bytes += chunk.length;
        if (bytes > 50 * result.length) gateway.store.failure = new ServiceError('coordination-unavailable', 'gone');
      }
    }, /aborted/);
    await broken;
    gateway.store.failure = null;
    assert.equal(answer.statusCode, 200);
    assert.ok(bytes < (size / 2) * result.length, `${bytes} bytes came`);
  });

  it('makes none where one does not fit, and names it', async () => {
    const before = gateway.store.tasks.size;
    const answer = await http.send('POST', '/tasks/batch', { tasks: [...tasks, { type: 'a b' }] });
    assertProblem(answer, 400, 'invalid-request');
    assert.equal(answer.json.errors[0].pointer, '/tasks/2/type');
    assert.equal(gateway.store.tasks.size, before);
  });

  it('takes no more than its limit, nor none, nor keys of single tasks, nor a wait', async () => {
    const many = (count: number) => ({ tasks: Array.from({ length: count }, () => ({ type: 'echo' })) });
    assert.equal((await http.send('POST', '/tasks/batch', many(limits.batchTasksMax))).status, 201);
    const keyed = { tasks: [{ type: 'echo', idempotencyKey: 'a' }] };
    for (const body of [many(limits.batchTasksMax + 1), many(0), keyed, {}, [], { tasks: {} }]) {
      assertProblem(await http.send('POST', '/tasks/batch', body), 400, 'invalid-request');
    }
    assertProblem(await http.send('POST', '/tasks/batch?wait=1', { tasks }), 400, 'invalid-request');
  });
});

describe('POST /tasks/:id/retry', () => {
  async function failed(): Promise<string> {
    const id = await http.submit();
    gateway.store.finish(id as TaskId, 'failed', null);
    return id;
  }

  it('makes a new task of a failed one, once for a key', async () => {
    const id = await failed();
    const first = await http.send('POST', `/tasks/${id}/retry`, undefined, { 'Idempotency-Key': `again-${id}` });
    assert.equal(first.status, 201);
    assert.equal(first.headers['location'], `/tasks/${first.json.id}`);
    assert.deepEqual([first.json.retryOf, first.json.state, first.json.attempt], [id, 'queued', 0]);
    const again = await http.send('POST', `/tasks/${id}/retry`, { idempotencyKey: `again-${id}` });
    assert.deepEqual([again.status, again.json.id], [200, first.json.id]);
    const other = await http.send('POST', `/tasks/${await failed()}/retry`, { idempotencyKey: `again-${id}` });
    assertProblem(other, 422, 'idempotency-key-reused');
  });

  it('keeps what a task comes after that was never let go, and drops it of one that was', async () => {
    const [first, second] = [await http.submit(), await http.submit()];
    const batch = { tasks: [{ type: 'echo' }, { type: 'echo', after: [first, 0, second], afterFailure: 'fail' }] };
    const [other, id = ''] = (await http.send('POST', '/tasks/batch', batch)).json.tasks.map(
      (task: { id: string }) => task.id,
    );
    const ran = await http.submit({ type: 'echo', after: [first], afterFailure: 'run' });
    const never = await http.submit({ type: 'echo', after: [first], afterFailure: 'run' });
    const status = {
      state: 'failed',
      result: null,
      error: null,
      worker: null,
      startedAt: null,
      finishedAt: 9,
    } as const;
    for (const task of [id, ran, never]) {
      const snapshot = gateway.store.tasks.get(task as TaskId);
      assert.ok(snapshot);
      const unblockedAt = task === ran ? 1 : null;
      gateway.store.put({ ...snapshot, unblockedAt, status: { ...status, attempt: 0 } });
    }
    const retried = async (of: string) => (await http.send('POST', `/tasks/${of}/retry`)).json;
    const told = await Promise.all([id, ran, never].map(retried));
    assert.deepEqual(
      told.map(({ after, afterFailure, retryOf, state }) => [after, afterFailure, retryOf, state]),
      [
        [[first, other, second], 'wait', id, 'scheduled'],
        [[], 'fail', ran, 'queued'],
        [[first], 'run', never, 'scheduled'],
      ],
    );
    gateway.store.forget(second as TaskId);
    const refused = await http.send('POST', `/tasks/${id}/retry`);
    assertProblem(refused, 409, 'dependency-not-found');
    assert.equal(refused.json.errors, undefined);
    assert.match(refused.json.detail, new RegExp(`Task ${id} comes after ${second} and was never let go`));
  });

  it('refuses others with 409 or 404', async () => {
    const id = await http.submit();
    assertProblem(await http.send('POST', `/tasks/${id}/retry`), 409, 'task-not-final');
    gateway.store.finish(id as TaskId, 'succeeded', 1);
    assertProblem(await http.send('POST', `/tasks/${id}/retry`), 409, 'task-not-retryable');
    assertProblem(await http.send('POST', '/tasks/task-9999999999/retry'), 404, 'task-not-found');
  });

  it('refuses what it does not know', async () => {
    const id = await failed();
    for (const body of [{ delayMs: 1 }, null, [], { idempotencyKey: 7 }, { idempotencyKey: '' }]) {
      assertProblem(await http.send('POST', `/tasks/${id}/retry`, body), 400, 'invalid-request');
    }
    assertProblem(await http.send('POST', `/tasks/${id}/retry`, '{}'), 415, 'unsupported-media-type');
  });
});

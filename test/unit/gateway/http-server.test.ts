// Goal: the HTTP face says what the contract says: statuses, headers, problem documents, and no 500 whatever is sent.
// Method: real requests on loopback to a gateway over a store in memory.

import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import supertest from 'supertest';
import { ServiceError } from '../../../domain/errors.ts';
import { limits } from '../../../domain/limits.ts';
import type { TaskId } from '../../../domain/task.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';

let gateway: TestGateway;
let http: ReturnType<typeof supertest>;

before(async () => {
  gateway = await startTestGateway();
  http = supertest(gateway.url);
});

after(() => gateway.drain());

function assertProblem(response: supertest.Response, status: number, reason: string): void {
  assert.equal(response.status, status, response.text);
  assert.match(response.headers['content-type'] ?? '', /^application\/problem\+json/);
  assert.equal(response.body.status, status);
  assert.ok(response.body.type.endsWith(`/${reason}`), response.body.type);
  assert.ok(response.body.title && response.body.detail);
}

async function submitted(body: object = { type: 'echo', payload: { a: 1 } }): Promise<string> {
  const response = await http.post('/tasks').send(body).expect(201);
  return response.body.id;
}

describe('POST /tasks', () => {
  it('answers 201 with the task, its address, and every field', async () => {
    const response = await http.post('/tasks').send({ type: 'echo', payload: { a: 1 }, labels: { x: 'y' } });
    assert.equal(response.status, 201);
    const { id, submittedAt, ...rest } = response.body;
    assert.equal(response.headers['location'], `/tasks/${id}`);
    assert.equal(response.headers['cache-control'], 'no-store');
    assert.match(submittedAt, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(rest, {
      type: 'echo',
      queue: 'default',
      state: 'queued',
      payload: { a: 1 },
      priority: 0,
      labels: { x: 'y' },
      attempt: 0,
      maxAttempts: 3,
      worker: null,
      progress: null,
      runAt: null,
      startedAt: null,
      finishedAt: null,
      result: null,
      error: null,
      attempts: [],
      retryOf: null,
    });
  });

  it('names the places that do not fit', async () => {
    const response = await http.post('/tasks').send({ type: 'a b', nonsense: 1 });
    assertProblem(response, 400, 'invalid-request');
    const pointers = response.body.errors.map((fault: { pointer: string }) => fault.pointer);
    assert.deepEqual(pointers.sort(), ['/nonsense', '/type']);
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
      const response = await http.post('/tasks').set('Content-Type', 'application/json').send(body);
      assertProblem(response, 400, 'invalid-request');
    });
  }

  it('takes a byte order mark and any case of the media type', async () => {
    for (const type of ['application/json', 'Application/JSON; charset=UTF-8', 'application/json;charset="utf-8"']) {
      const response = await http.post('/tasks').set('Content-Type', type).send('\ufeff{"type":"echo"}');
      assert.equal(response.status, 201, type);
    }
  });

  for (const type of [
    'text/plain',
    'application/json; charset=latin1',
    'application/jsonx',
    'application/x-www-form-urlencoded',
  ]) {
    it(`refuses ${type} with 415`, async () => {
      assertProblem(
        await http.post('/tasks').set('Content-Type', type).send('{"type":"echo"}'),
        415,
        'unsupported-media-type',
      );
    });
  }

  it('refuses a body without a type, or compressed, with 415', async () => {
    assertProblem(await http.post('/tasks'), 415, 'unsupported-media-type');
    const compressed = http.post('/tasks').set('Content-Type', 'application/json').set('Content-Encoding', 'gzip');
    assertProblem(await compressed.send('{"type":"echo"}'), 415, 'unsupported-media-type');
  });

  it('refuses too much with 413', async () => {
    const payload = 'x'.repeat(limits.payloadBytesMax);
    assertProblem(await http.post('/tasks').send({ type: 'echo', payload }), 413, 'payload-too-large');
    const body = { type: 'echo', payload: 'x'.repeat(limits.requestBodyBytesMax) };
    assertProblem(await http.post('/tasks').send(body), 413, 'body-too-large');
  });

  it('answers the first task again for the same key and body, 422 for another body', async () => {
    const first = await http.post('/tasks').set('Idempotency-Key', '"order-7"').send({ type: 'echo', payload: 7 });
    assert.equal(first.status, 201);
    const again = await http.post('/tasks').send({ payload: 7, type: 'echo', idempotencyKey: 'order-7', priority: 0 });
    assert.equal(again.status, 200);
    assert.equal(again.body.id, first.body.id);
    assert.equal(again.headers['location'], undefined);
    const other = await http.post('/tasks').set('Idempotency-Key', 'order-7').send({ type: 'echo', payload: 8 });
    assertProblem(other, 422, 'idempotency-key-reused');
    const both = await http.post('/tasks').set('Idempotency-Key', 'a').send({ type: 'echo', idempotencyKey: 'b' });
    assertProblem(both, 400, 'invalid-request');
  });

  it('waits, and answers 201 with the present state when the time is up', async () => {
    const response = await http.post('/tasks?wait=20ms').send({ type: 'echo' });
    assert.deepEqual([response.status, response.body.state], [201, 'queued']);
    assert.equal(response.headers['preference-applied'], undefined);
  });

  it('says what the store says', async () => {
    try {
      gateway.store.failure = new ServiceError('outcome-unknown', 'Nobody knows.');
      const unknown = await http.post('/tasks').send({ type: 'echo' });
      assertProblem(unknown, 503, 'outcome-unknown');
      assert.equal(unknown.headers['retry-after'], undefined);
      gateway.store.failure = new ServiceError('coordination-unavailable', 'Gone.', { retryAfterMs: 2500 });
      const unavailable = await http.post('/tasks').send({ type: 'echo' });
      assertProblem(unavailable, 503, 'coordination-unavailable');
      assert.equal(unavailable.headers['retry-after'], '3');
    } finally {
      gateway.store.failure = null;
    }
  });
});

describe('GET /tasks/:id', () => {
  it('waits for the end, by parameter or preference', async () => {
    const id = await submitted();
    const byParameter = http.get(`/tasks/${id}?wait=30`).then((response) => response);
    const byPreference = http
      .get(`/tasks/${id}`)
      .set('Prefer', 'wait=30')
      .then((response) => response);
    await gateway.store.untilWatched(2);
    gateway.store.finish(id as TaskId, 'succeeded', [1]);
    const [first, second] = await Promise.all([byParameter, byPreference]);
    assert.deepEqual([first.status, first.body.state, first.body.result], [200, 'succeeded', [1]]);
    assert.equal(first.headers['preference-applied'], undefined);
    assert.equal(second.headers['preference-applied'], 'wait=30');
    assert.equal(first.body.attempts[0].outcome, 'succeeded');
    assert.equal(first.headers['cache-control'], 'no-store');
  });

  it('ignores a preference that cannot be read and refuses such a parameter', async () => {
    const id = await submitted();
    const response = await http.get(`/tasks/${id}`).set('Prefer', 'wait=soon').expect(200);
    assert.equal(response.headers['preference-applied'], undefined);
    for (const query of ['wait=soon', 'wait=', 'wait=1&wait=1', 'wiat=1', '__proto__=1', 'wait%00=1']) {
      assertProblem(await http.get(`/tasks/${id}?${query}`), 400, 'invalid-request');
    }
  });

  it('ends the wait of a client that goes', { timeout: 10_000 }, async () => {
    const id = await submitted();
    const request = httpRequest(`${gateway.url}/tasks/${id}?wait=30`);
    request.on('error', () => undefined);
    request.end();
    await gateway.store.untilWatched();
    request.destroy();
    await gateway.store.untilUnwatched();
  });

  const none = [
    'nope',
    'task-1',
    '..',
    '%2e%2e',
    '..%2f..%2fmaster',
    'task-0000000000%2fstatus',
    '%00',
    '%ZZ',
    '%ff',
    'task-9999999999',
  ];
  for (const id of none) {
    it(`${id}: 404`, async () => {
      const response = await http.get(`/tasks/${id}`);
      assert.equal(response.status, 404, response.text);
      assert.match(response.headers['content-type'] ?? '', /^application\/problem\+json/);
    });
  }

  it('has HEAD', async () => {
    const id = await submitted();
    const response = await http.head(`/tasks/${id}`).expect(200);
    assert.equal(response.text, undefined);
  });
});

describe('every address', () => {
  it('says which methods it has', async () => {
    const cases: [string, string, string][] = [
      ['put', '/tasks', 'GET, HEAD, POST'],
      ['put', '/tasks/task-0000000000', 'DELETE, GET, HEAD'],
      ['get', '/tasks/batch', 'POST'],
      ['get', '/queues/mail', 'PUT'],
      ['post', '/healthz', 'GET, HEAD'],
      ['options', '/metrics', 'GET, HEAD'],
    ];
    for (const [method, path, allowed] of cases) {
      const response = await supertest(gateway.url)[method as 'put'](path);
      assertProblem(response, 405, 'method-not-allowed');
      assert.equal(response.headers['allow'], allowed);
    }
  });

  it('that is not there is a 404 problem', async () => {
    for (const path of ['/', '/task', '/Tasks', '/tasks/', '/tasks/a/b', '/%', '//']) {
      assertProblem(await http.get(path), 404, 'route-not-found');
    }
  });

  it('has the security headers and does not say what it is made of', async () => {
    for (const path of ['/healthz', '/nowhere', '/openapi.json', '/tasks/x']) {
      const { headers } = await http.get(path);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.match(headers['content-security-policy'] ?? '', /default-src 'none'/);
      assert.equal(headers['x-powered-by'], undefined);
      assert.equal(headers['access-control-allow-origin'], undefined);
    }
  });
});

describe('operation', () => {
  it('is alive always, and ready while there is a session', async () => {
    try {
      gateway.setReady(false);
      await http.get('/healthz').expect(200, { status: 'ok' });
      const response = await http.get('/readyz');
      assertProblem(response, 503, 'coordination-unavailable');
      assert.equal(response.headers['retry-after'], '1');
    } finally {
      gateway.setReady(true);
    }
    await http.get('/readyz').expect(200, { status: 'ready' });
  });

  it('counts requests by route, not by path', async () => {
    const id = await submitted();
    await http.get(`/tasks/${id}`);
    const { text } = await http.get('/metrics').expect(200);
    assert.match(
      text,
      /taskkeeper_http_request_duration_seconds_count\{method="GET",route="\/tasks\/:id",status="200"\}/,
    );
    assert.match(text, /taskkeeper_waiting_requests 0/);
    assert.ok(!text.includes(id));
  });
});

describe('a bug', () => {
  it('is a 500 that tells nothing of the inside, and the gateway goes on', async () => {
    const { read } = gateway.store;
    gateway.store.read = () => Promise.reject(new TypeError('secret of the inside'));
    const response = await http.get('/tasks/task-0000000000');
    gateway.store.read = read;
    assertProblem(response, 500, 'internal-error');
    assert.ok(!response.text.includes('secret'));
    await http.get('/healthz').expect(200);
  });
});

describe('whatever is sent', () => {
  const jsonText = fc.oneof(
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.json().map((text) => text.slice(1)),
  );
  it('to POST /tasks is no 500', async () => {
    await fc.assert(
      fc.asyncProperty(jsonText, async (body) => {
        const response = await http.post('/tasks').set('Content-Type', 'application/json').send(body);
        assert.ok([201, 400, 413].includes(response.status), `${response.status} ${response.text}`);
      }),
      { numRuns: 100 },
    );
  });

  it('as an id is no 500', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string(), async (id) => {
        const response = await http.get(`/tasks/${encodeURIComponent(id)}`);
        assert.equal(response.status, 404);
      }),
      { numRuns: 50 },
    );
  });
});

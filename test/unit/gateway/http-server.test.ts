// Goal: what holds for every address of the HTTP face, and what it says of the gateway and the fleet. Method: real requests on
// loopback to a gateway over a store in memory; each answer is held against the document too.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { limits } from '../../../domain/limits.ts';
import { openApiDocument } from '../../../gateway/http/openapi.ts';
import { assertProblem, type HttpClient, httpClient } from '../../support/http-client.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';

let gateway: TestGateway;
let http: HttpClient;

before(async () => {
  gateway = await startTestGateway();
  http = httpClient(gateway.url);
});

after(() => gateway.drain());

describe('every address', () => {
  it('says which methods it has, to all others', async () => {
    for (const [path, item = {}] of Object.entries(openApiDocument.paths ?? {})) {
      const known = Object.keys(item).map((method) => method.toUpperCase());
      const allowed = [...known, ...(known.includes('GET') ? ['HEAD'] : [])].sort();
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'QUERY']) {
        if (allowed.includes(method)) continue;
        const answer = await http.send(method, path.replace(/\{\w+\}/, 'x'));
        assert.equal(answer.status, 405, `${method} ${path}`);
        if (method !== 'HEAD') assertProblem(answer, 405, 'method-not-allowed');
        assert.equal(answer.headers['allow'], allowed.join(', '));
      }
    }
  });

  it('that is not there is a 404 problem', async () => {
    for (const path of [
      '/',
      '/task',
      '/Tasks',
      '/tasks/',
      '/tasks/a/b',
      '/%',
      '//',
      '/docs/x',
      '/tasks/x/events/',
      '*',
    ]) {
      assertProblem(await http.get(path), 404, 'route-not-found');
    }
    assertProblem(await http.send('OPTIONS', '*'), 404, 'route-not-found');
  });

  it('takes no parameters but its own', async () => {
    for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json', '/docs', '/workers', '/queues', '/stats']) {
      assertProblem(await http.get(`${path}?x=1`), 400, 'invalid-request');
    }
  });

  it('has the security headers and does not say what it is made of', async () => {
    for (const path of ['/healthz', '/nowhere', '/openapi.json', '/tasks/x', '/tasks', '/docs', '/metrics']) {
      const { headers } = await http.get(path, { Origin: 'https://elsewhere.example' });
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.match(headers['content-security-policy'] ?? '', /default-src 'none'/);
      assert.match(headers['content-security-policy'] ?? '', /frame-ancestors 'none'/);
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
      if (path === '/docs') assert.equal(headers['x-frame-options'], 'SAMEORIGIN');
      assert.equal(headers['x-powered-by'], undefined);
      assert.equal(headers['access-control-allow-origin'], undefined);
    }
  });

  it('with GET has HEAD, with the same status and type', async () => {
    for (const path of [
      '/healthz',
      '/readyz',
      '/metrics',
      '/openapi.json',
      '/docs',
      '/tasks',
      '/workers',
      '/nowhere',
    ]) {
      const [head, get] = [await http.send('HEAD', path), await http.get(path)];
      assert.deepEqual([head.status, head.body], [get.status, '']);
      assert.equal(head.headers['content-type'], get.headers['content-type']);
    }
  });
});

describe('the gateway itself', () => {
  it('is alive always, and ready while there is a session', async () => {
    try {
      gateway.setReady(false);
      assert.deepEqual((await http.get('/healthz')).json, { status: 'ok' });
      const answer = await http.get('/readyz');
      assertProblem(answer, 503, 'coordination-unavailable');
      assert.equal(answer.headers['retry-after'], '1');
    } finally {
      gateway.setReady(true);
    }
    assert.deepEqual((await http.get('/readyz')).json, { status: 'ready' });
  });

  it('counts requests by route, not by path', async () => {
    const id = await http.submit();
    await http.get(`/tasks/${id}`);
    const { body, headers } = await http.get('/metrics');
    assert.match(headers['content-type'] ?? '', /^text\/plain; version=0\.0\.4/);
    const count = /taskkeeper_http_request_duration_seconds_count\{method="GET",route="\/tasks\/:id",status="200"\}/;
    assert.match(body, count);
    assert.match(body, /taskkeeper_waiting_requests 0/);
    assert.ok(!body.includes(id));
  });

  it('serves its document as it is', async () => {
    const { json } = await http.get('/openapi.json');
    assert.deepEqual(json, JSON.parse(JSON.stringify(openApiDocument)));
  });

  it('answers a bug with a 500 that tells nothing of the inside, and goes on', async () => {
    const { read } = gateway.store;
    gateway.store.read = () => Promise.reject(new TypeError('secret of the inside'));
    const answer = await http.get('/tasks/task-0000000000');
    gateway.store.read = read;
    assertProblem(answer, 500, 'internal-error');
    assert.ok(!answer.body.includes('secret'));
    assert.equal((await http.get('/healthz')).status, 200);
  });
});

describe('the fleet', () => {
  it('is told as the index has it', async () => {
    const worker = { id: 'worker-1', address: '127.0.0.1:4000', concurrency: 2, types: ['echo'], queues: null };
    assert.deepEqual((await http.get('/workers')).json, { workers: [{ ...worker, running: 1, draining: false }] });
    const stats = await http.get('/stats');
    assert.deepEqual(stats.json, { ...(await gateway.index.stats()) });
    for (const path of ['/workers', '/queues', '/stats']) {
      assert.equal((await http.get(path)).headers['cache-control'], 'no-store');
    }
  });
});

describe('PUT /queues/:name', () => {
  const put = (name: string, body: unknown) => http.send('PUT', `/queues/${name}`, body);
  const lifted = { paused: false, concurrency: null, ratePerSecond: null, burst: null, maxQueued: null };

  it('changes what it names, keeps the rest, and null lifts', async () => {
    const answer = await put('mail', { concurrency: 5, paused: true });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['cache-control'], 'no-store');
    assert.deepEqual(answer.json, { ...lifted, name: 'mail', concurrency: 5, paused: true });
    assert.deepEqual((await put('mail', { burst: 2 })).json.concurrency, 5);
    const all = { paused: false, concurrency: null, burst: null };
    assert.deepEqual((await put('mail', all)).json, { ...lifted, name: 'mail' });
    assert.deepEqual((await put('mail', {})).json, { ...lifted, name: 'mail' });
    const { queues } = (await http.get('/queues')).json;
    assert.deepEqual(queues, [{ ...lifted, name: 'mail', scheduled: 0, queued: 0, running: 0 }]);
  });

  it('takes each limit up to its bounds', async () => {
    const bounds: [string, number, number, number][] = [
      ['concurrency', 0, limits.queueConcurrencyMax, 1],
      ['ratePerSecond', limits.queueRatePerSecondMin, limits.queueRatePerSecondMax, limits.queueRatePerSecondMin / 2],
      ['burst', 1, limits.queueBurstMax, 1],
      ['maxQueued', 0, limits.queueMaxQueuedMax, 1],
    ];
    for (const [field, min, max, step] of bounds) {
      for (const value of [min, max]) assert.equal((await put('mail', { [field]: value })).json[field], value);
      for (const value of [min - step, max + step]) {
        const answer = await put('mail', { [field]: value });
        assertProblem(answer, 400, 'invalid-request');
        assert.equal(answer.json.errors[0].pointer, `/${field}`);
      }
    }
    for (const field of ['concurrency', 'burst', 'maxQueued']) {
      assertProblem(await put('mail', { [field]: 1.5 }), 400, 'invalid-request');
    }
  });

  it('refuses what it does not know', async () => {
    for (const body of [{ pause: true }, { paused: null }, { paused: 'true' }, { burst: '1' }, null, [], 1]) {
      assertProblem(await put('mail', body), 400, 'invalid-request');
    }
    assertProblem(await http.send('PUT', '/queues/mail'), 415, 'unsupported-media-type');
  });

  it('refuses names that are none, or that no znode can have', async () => {
    for (const name of ['.', '..', '%2e%2e', 'a%2fb', '%00', 'a%20b', 'x'.repeat(65), 'x'.repeat(9000), 'caf%c3%a9']) {
      const answer = await put(name, { paused: true });
      assertProblem(answer, 400, 'invalid-request');
    }
    assert.deepEqual([...gateway.store.queues.keys()], ['mail']);
    assert.equal((await put('x'.repeat(64), { paused: true })).status, 200);
    assert.equal((await put('...', { paused: true })).status, 200);
  });
});

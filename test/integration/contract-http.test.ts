// Goal: what sections 4 and 6 of the contract say of HTTP itself, on the real stack: waits, keys, methods, headers, tags,
// streams, and what goes on without a master. Method: one stack for most; every answer is held against the OpenAPI
// document as well. What both faces share is in two-faces.test.ts.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { openEventStream } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { assertProblem, httpClient } from '../support/http-client.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, { sessionTimeoutMs: calmSessionMs, gateway: { MAX_WAITS: 3 } });
const http = httpClient(stack.client.url);
const idle = { type: 'nobody-runs-this' };
const { id: ended } = await stack.client.run({ type: 'echo', payload: 'x'.repeat(2000), labels: { size: 'large' } });
const waiting = await http.submit(idle);

const addresses = ['/tasks', `/tasks/${ended}`, '/workers', '/queues', '/stats', '/healthz', '/readyz', '/metrics'];
const pages = ['/openapi.json', '/docs'];

describe('waits', () => {
  test('a bare number is seconds, fractions too; ms, s and m are units; more than 60 s is 60 s', async () => {
    for (const wait of ['0', '0.05', '50ms', '0.05s', '0.001m', '5.5ms']) {
      const startedAt = performance.now();
      const { status, json } = await http.get(`/tasks/${waiting}?wait=${wait}`);
      assert.deepEqual([status, json.state], [200, 'queued'], wait);
      assert.ok(performance.now() - startedAt < 5000, wait);
    }
    for (const wait of ['61', '3600s', '5m'])
      assert.equal((await http.get(`/tasks/${ended}?wait=${wait}`)).status, 200);
    for (const wait of ['', 'x', '1h', '-1', '1 s', '1e3', 'NaN', '10s10s']) {
      assertProblem(await http.get(`/tasks/${waiting}?wait=${encodeURIComponent(wait)}`), 400, 'invalid-request');
    }
  });

  test('a preference that is honoured is told, one that cannot be read is ignored', async () => {
    const applied = async (prefer: string) =>
      (await http.get(`/tasks/${ended}`, { prefer })).headers['preference-applied'];
    assert.equal(await applied('wait=10'), 'wait=10');
    assert.equal(await applied('respond-async, wait=7'), 'wait=7');
    assert.equal(await applied('wait=600'), 'wait=60');
    for (const prefer of ['wait=soon', 'wait', 'wait=-1', '"', 'x'.repeat(500)])
      assert.equal(await applied(prefer), undefined);
    const late = await http.send('POST', '/tasks', idle, { prefer: 'wait=1' });
    assert.deepEqual([late.status, late.json.state, late.headers['preference-applied']], [201, 'queued', 'wait=1']);
  });

  test('more of them than MAX_WAITS are refused, before anything is done; streams count', async (t) => {
    const streams = await Promise.all(
      [1, 2, 3].map(() => openEventStream(`${stack.client.url}/tasks/${waiting}/events`)),
    );
    t.after(() => streams.map((stream) => stream.close()));
    const refused = await http.send('POST', '/tasks?wait=1s', { ...idle, queue: 'never-made' });
    assertProblem(refused, 429, 'too-many-waits');
    assert.match(refused.headers['retry-after'] ?? '', /^[1-9]\d*$/);
    assertProblem(await http.get(`/tasks/${waiting}?wait=1s`), 429, 'too-many-waits');
    assertProblem(await http.get('/events'), 429, 'too-many-waits');
    assert.equal((await http.get(`/tasks/${waiting}`)).status, 200);
    assert.equal((await http.get(`/tasks/${ended}?wait=1s`)).status, 200, 'there is nothing to wait for');
    assert.deepEqual((await http.get('/tasks?queue=never-made')).json.tasks, []);
    for (const stream of streams) stream.close();
    await eventually(
      'places are free again',
      async () => (await http.get(`/tasks/${waiting}?wait=1ms`)).status === 200,
    );
  });
});

describe('idempotency keys', () => {
  test('quoted, bare and in the body are one key; two that differ are a mistake', async () => {
    const first = await http.send('POST', '/tasks', idle, { 'idempotency-key': '"a \\"key\\""' });
    const ways: [object, Record<string, string>][] = [
      [idle, { 'idempotency-key': '"a \\"key\\""' }],
      [{ ...idle, idempotencyKey: 'a "key"' }, {}],
      [{ idempotencyKey: 'a "key"', ...idle }, { 'idempotency-key': '"a \\"key\\""' }],
      [{ ...idle, priority: 0, queue: 'default', labels: {} }, { 'idempotency-key': '"a \\"key\\""' }],
    ];
    for (const [body, headers] of ways) {
      const { status, json } = await http.send('POST', '/tasks', body, headers);
      assert.deepEqual([status, json.id], [200, first.json.id]);
    }
    const differing = await http.send(
      'POST',
      '/tasks',
      { ...idle, idempotencyKey: 'one' },
      { 'idempotency-key': 'another' },
    );
    assertProblem(differing, 400, 'invalid-request');
    const other = await http.send('POST', '/tasks', { ...idle, idempotencyKey: 'a "key"', priority: 1 });
    assertProblem(other, 422, 'idempotency-key-reused');
  });

  test('of a retry, and of a batch, in the header or the body', async () => {
    await http.send('POST', `/tasks/${await http.submit(idle)}/cancel`);
    const { id } = (await http.send('POST', '/tasks?wait=20s', { type: 'shell', payload: 'exit 1', maxAttempts: 1 }))
      .json;
    const one = await http.send('POST', `/tasks/${id}/retry`, { idempotencyKey: 'retry' });
    const two = await http.send('POST', `/tasks/${id}/retry`, undefined, { 'idempotency-key': 'retry' });
    assert.deepEqual([one.status, two.status, two.json.id], [201, 200, one.json.id]);
    assert.equal(one.headers['location'], `/tasks/${one.json.id}`);
    const three = await http.send('POST', '/tasks/batch', { tasks: [idle], idempotencyKey: 'batch' });
    const four = await http.send('POST', '/tasks/batch', { tasks: [idle] }, { 'idempotency-key': 'batch' });
    assert.deepEqual([three.status, four.status, four.json.tasks], [201, 200, three.json.tasks]);
    assertProblem(
      await http.send('POST', '/tasks/batch', { tasks: [{ ...idle, idempotencyKey: 'x' }] }),
      400,
      'invalid-request',
    );
  });
});

describe('every address', () => {
  test('with GET has HEAD, refuses other methods with Allow, and parameters that it does not know', async () => {
    for (const address of [...addresses, ...pages]) {
      const [get, head] = [await http.get(address), await http.send('HEAD', address)];
      assert.deepEqual(
        [head.status, head.body, head.headers['content-type']],
        [200, '', get.headers['content-type']],
        address,
      );
      const patched = await http.send('PATCH', address);
      assertProblem(patched, 405, 'method-not-allowed');
      assert.match(patched.headers['allow'] ?? '', /GET, HEAD/);
      assertProblem(await http.get(`${address}?unknown=1`), 400, 'invalid-request');
    }
    assertProblem(await http.get('/nowhere'), 404, 'route-not-found');
  });

  test('has the headers that protect, and no CORS; what changes is not stored', async () => {
    for (const address of [...addresses, ...pages, '/nowhere']) {
      const { headers } = await http.get(address, { origin: 'https://elsewhere.example' });
      assert.equal(headers['x-content-type-options'], 'nosniff', address);
      assert.match(headers['content-security-policy'] ?? '', /default-src 'none'/, address);
      assert.equal(headers['access-control-allow-origin'], undefined, address);
      assert.equal(headers['x-powered-by'], undefined);
    }
    for (const address of addresses.slice(0, 5))
      assert.equal((await http.get(address)).headers['cache-control'], 'no-store');
  });

  test('takes JSON in UTF-8 only, and says what cannot be read', async () => {
    const typed = (type: string, body: string | Buffer = '{"type":"echo"}') =>
      http.send('POST', '/tasks', body, { 'content-type': type });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-16']) {
      assertProblem(await typed(type), 415, 'unsupported-media-type');
    }
    assert.equal((await typed('application/json; charset=UTF-8')).status, 201);
    for (const body of [
      '',
      '{',
      'null',
      '[]',
      '"echo"',
      Buffer.from([0xff, 0xfe]),
      '{"type":"echo","payload":1e400}',
    ]) {
      assertProblem(await typed('application/json', body), 400, 'invalid-request');
    }
    assertProblem(await typed('application/json', `"${'x'.repeat(1024 * 1024)}"`), 413, 'body-too-large');
    const mistyped = await http.send('POST', '/tasks', { ...idle, prioritty: 1 });
    assert.deepEqual(
      mistyped.json.errors.map(({ pointer }: { pointer: string }) => pointer),
      ['/prioritty'],
    );
  });
});

describe('a task', () => {
  test('that has not changed is not sent again', async () => {
    const first = await http.get(`/tasks/${ended}`);
    const tag = first.headers['etag'] ?? '';
    const same = await http.get(`/tasks/${ended}?wait=1s`, { 'if-none-match': tag });
    assert.deepEqual([same.status, same.body, same.headers['etag']], [304, '', tag]);
    assert.equal((await http.get(`/tasks/${ended}`, { 'if-none-match': '"another"' })).status, 200);
    const id = await http.submit({ type: 'sleep', payload: { ms: 50 } });
    const before = (await http.get(`/tasks/${id}`)).headers['etag'] ?? '';
    assert.equal(
      (await http.get(`/tasks/${id}?wait=20s`, { 'if-none-match': before })).status,
      200,
      'it has ended meanwhile',
    );
  });

  test('list is compressed for whoever takes that, and is what it is without', async () => {
    const plain = await http.get('/tasks?label=size:large');
    assert.match(plain.headers['vary'] ?? '', /accept-encoding/i);
    const response = await fetch(`${stack.client.url}/tasks?label=size:large`, {
      headers: { 'accept-encoding': 'gzip' },
    });
    assert.equal(response.headers.get('content-encoding'), 'gzip');
    assert.deepEqual(await response.json(), plain.json);
  });
});

describe('a stream', () => {
  test('has a comment every 15 seconds while nothing happens', { timeout: 60_000 }, async (t) => {
    const stream = await openEventStream(`${stack.client.url}/tasks/${waiting}/events`);
    t.after(() => stream.close());
    assert.match(stream.headers.get('content-type') ?? '', /^text\/event-stream/);
    assert.equal((await stream.next())?.data.state, 'queued');
    const openedAt = performance.now();
    const comments = () => stream.seen().body.match(/^:/gm)?.length ?? 0;
    const before = comments();
    await stream.untilText(new RegExp(`(^:[^]*){${before + 1}}`, 'm'));
    assert.ok(performance.now() - openedAt > 13_000 && performance.now() - openedAt < 20_000);
  });

  test('that has told the end is not begun again', async () => {
    const stream = await openEventStream(`${stack.client.url}/tasks/${ended}/events`);
    const last = await stream.next();
    assert.deepEqual([last?.event, last?.data.state, await stream.next()], ['task', 'succeeded', null]);
    const again = await http.get(`/tasks/${ended}/events`, { 'last-event-id': last?.id ?? '' });
    assert.deepEqual([again.status, again.body], [204, '']);
  });

  test('that cannot know what was missed says so first', async (t) => {
    const stream = await openEventStream(`${stack.client.url}/events`, 'from-another-life');
    t.after(() => stream.close());
    assert.equal((await stream.next())?.event, 'reset');
    const { id } = await stack.client.submit(idle);
    const { event, data } = (await stream.next()) ?? {};
    assert.deepEqual(
      [event, data.id, data.state, Object.keys(data)],
      ['task', id, 'queued', ['id', 'type', 'queue', 'state', 'attempt', 'worker', 'at']],
    );
  });
});

test('without a master tasks are submitted, told, watched and cancelled; lists and counts say when to come again', async (t) => {
  const lonely = await startStack(t, zookeeper, { masters: 0, sessionTimeoutMs: calmSessionMs });
  const alone = httpClient(lonely.client.url);
  for (const address of ['/tasks', '/workers', '/queues', '/stats', '/events']) {
    const refused = await alone.get(address);
    assertProblem(refused, 503, 'no-leader');
    assert.match(refused.headers['retry-after'] ?? '', /^[1-9]\d*$/, address);
  }
  const [cancelled, run] = [await alone.submit({ type: 'echo' }), await alone.submit({ type: 'echo', payload: 1 })];
  const stream = await openEventStream(`${lonely.client.url}/tasks/${run}/events`);
  t.after(() => stream.close());
  assert.equal((await stream.next())?.data.state, 'queued');
  assert.deepEqual(
    [(await alone.get(`/tasks/${run}`)).json.state, (await alone.get('/readyz')).status],
    ['queued', 200],
  );
  assert.equal((await alone.send('POST', `/tasks/${cancelled}/cancel`, { reason: 'later' })).status, 202);
  assert.equal((await alone.send('PUT', '/queues/default', { concurrency: 1 })).status, 200);
  await lonely.addMaster();
  const { json } = await alone.get(`/tasks/${cancelled}?wait=20s`);
  assert.deepEqual([json.state, json.error], ['cancelled', { code: 'cancelled', message: 'later' }]);
  const told = [await stream.next(), await stream.next(), await stream.next()];
  assert.deepEqual(
    told.map((event) => event?.data.state),
    ['running', 'succeeded', undefined],
  );
  assert.equal((await eventually('the list is there', async () => (await alone.get('/tasks')).json.tasks)).length, 2);
});

test('without ZooKeeper a gateway is alive and not ready, and refuses what it cannot do as not done', async (t) => {
  const own = await startZooKeeper(t);
  const cut = await startStack(t, own, { sessionTimeoutMs: 2000 });
  const http = httpClient(cut.client.url);
  own.pause();
  const refused = await eventually(
    'submits are refused',
    async () => {
      const answer = await http.send('POST', '/tasks', idle);
      return answer.status === 503 && answer.json.type.endsWith('/coordination-unavailable') && answer;
    },
    30_000,
  );
  assert.match(refused.headers['retry-after'] ?? '', /^[1-9]\d*$/);
  assert.deepEqual([(await http.get('/healthz')).status, (await http.get('/readyz')).status], [200, 503]);
  assertProblem(await http.get(`/tasks/${ended}`), 503, 'coordination-unavailable');
  own.resume();
  await cut.client.ready(30_000);
});

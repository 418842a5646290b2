// Goal: the admin endpoint answers what orchestrators, Prometheus and gateways ask it. Method: a real server on a free
// port, asked with fetch.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { limits } from '../../../domain/limits.ts';
import { sendJson, startAdminServer } from '../../../runtime/admin-server.ts';
import { createLog } from '../../../runtime/log.ts';
import { createMetrics } from '../../../runtime/metrics.ts';

test('health, readiness, metrics and own routes', async (t) => {
  let ready = false;
  const server = await startAdminServer({
    host: '127.0.0.1',
    port: 0,
    advertisedHost: 'localhost',
    log: createLog('test', 'silent'),
    metrics: createMetrics(),
    isReady: () => ready,
    routes: {
      '/stats': (url, _request, response) => sendJson(response, 200, { q: url.searchParams.get('q') }),
      '/broken': () => Promise.reject(new Error('broken')),
    },
  });
  t.after(() => server.close());
  assert.equal(server.address, `localhost:${server.port}`);
  const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);

  assert.equal((await get('/healthz')).status, 200);
  assert.equal((await get('/readyz')).status, 503);
  ready = true;
  assert.equal((await get('/readyz')).status, 200);
  assert.equal((await get('/readyz', { method: 'HEAD' })).status, 200);
  assert.match(await (await get('/metrics')).text(), /^process_cpu_seconds_total /m);
  assert.deepEqual(await (await get('/stats?q=1')).json(), { q: '1' });
  assert.equal((await get('/broken')).status, 500);
  assert.equal((await get('/absent')).status, 404);
  const post = await get('/healthz', { method: 'POST' });
  assert.equal(post.status, 405);
  assert.equal(post.headers.get('allow'), 'GET, HEAD');
});

test('close ends connections that are kept open, so that a process can stop', async () => {
  const options = { host: '127.0.0.1', port: 0, advertisedHost: '127.0.0.1', metrics: createMetrics() };
  const server = await startAdminServer({ ...options, log: createLog('test', 'silent'), isReady: () => true });
  await (await fetch(`http://${server.address}/healthz`)).text();
  await server.close();
  await assert.rejects(fetch(`http://${server.address}/healthz`));
});

test('so many connections and no more; a long query is answered, a longer one is not', async (t) => {
  const server = await startAdminServer({
    ...{ host: '127.0.0.1', port: 0, advertisedHost: 'localhost', log: createLog('test', 'silent') },
    ...{ metrics: createMetrics(), isReady: () => true },
  });
  t.after(() => server.close());
  const query = async (length: number) => {
    const response = await fetch(`http://127.0.0.1:${server.port}/healthz?q=${'x'.repeat(length)}`, {
      headers: { connection: 'close' },
    });
    await response.text();
    return response.status;
  };
  assert.deepEqual([await query(40_000), await query(70_000)], [200, 431]);
  const open = Array.from({ length: limits.adminConnectionsMax }, () => connect(server.port, '127.0.0.1'));
  t.after(() => {
    for (const socket of open) socket.destroy();
  });
  await Promise.all(open.map((socket) => once(socket, 'connect')));
  const oneMore = connect(server.port, '127.0.0.1');
  await once(oneMore.resume(), 'close');
  const [first] = open;
  first?.write('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.match(String(await once(first as Socket, 'data')), /^HTTP\/1.1 200/);
});

// Goal: a master can be asked whatever port it was given, and an answer that is none is an error. Method: servers on loopback, on
// ports that browsers, and `fetch` with them, refuse to connect to.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { after, it } from 'node:test';
import { readText } from '../../../gateway/store/bounded-body.ts';
import { get } from '../../../gateway/store/http-get.ts';

/** Some of https://fetch.spec.whatwg.org/#port-blocking; others may have taken one or two. */
const refusedByFetch = [6000, 6665, 6666, 6667, 6668, 6669, 10_080];
const signal = new AbortController().signal;
const servers: Server[] = [];

after(() => {
  for (const server of servers) server.close();
});

async function serveOn(port: number): Promise<boolean> {
  const server = createServer((_request, response) => response.end('text')).listen(port, '127.0.0.1');
  servers.push(server);
  // `once` rejects for 'error'.
  return once(server, 'listening').then(
    () => true,
    () => false,
  );
}

it('asks on ports that fetch refuses', async () => {
  let asked = 0;
  for (const port of refusedByFetch) {
    if (!(await serveOn(port))) continue;
    const url = `http://127.0.0.1:${port}/`;
    await assert.rejects(fetch(url), 'or it is no such port');
    assert.equal(await readText(await get(url, signal), 100), 'text');
    asked += 1;
    if (asked === 2) return;
  }
  assert.ok(asked > 0, 'none of these ports is free here');
});

it('takes nothing but a 200', async () => {
  const server = createServer((_request, response) => response.writeHead(204).end()).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  await assert.rejects(get(`http://127.0.0.1:${address.port}/`, signal), /status 204/);
});

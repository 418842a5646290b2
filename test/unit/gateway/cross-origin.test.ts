// Goal: a page that somebody happens to visit cannot use the gateway of that machine, while clients, our own page and a proxy can.
// Method: the headers that browsers send for each way in, and those of clients that are none, on loopback.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { assertProblem, type HttpClient, httpClient } from '../../support/http-client.ts';
import { startTestFace, type TestFace } from './http-harness.ts';

/** Of a proxy on this machine. */
const advertisedHost = 'tasks.example';
let local: TestFace;
let open: TestFace;
let http: HttpClient;
let id: string;

before(async () => {
  local = await startTestFace({ names: { host: '127.0.0.1', advertisedHost } });
  open = await startTestFace({ names: { host: '0.0.0.0', advertisedHost: 'box' } });
  http = httpClient(local.url);
  id = await http.submit();
});

after(() => Promise.all([local.close(), open.close()]));

type Headers = Readonly<Record<string, string>>;
const own = () => `127.0.0.1:${local.port}`;

describe('a page of another origin', () => {
  const pages: [string, () => Headers][] = [
    ['named by Origin', () => ({ origin: 'http://evil.example' })],
    ['of another port', () => ({ origin: 'http://127.0.0.1:3000' })],
    ['of another port, which is the same site', () => ({ 'sec-fetch-site': 'same-site' })],
    ['without a name', () => ({ origin: 'null' })],
    ['named by Sec-Fetch-Site', () => ({ 'sec-fetch-site': 'cross-site' })],
    ['said to be ours by one of two', () => ({ origin: `http://${own()}`, 'sec-fetch-site': 'cross-site' })],
    ['with a name that begins as ours', () => ({ origin: `http://${own()}.evil.example` })],
  ];
  for (const [name, headers] of pages) {
    it(`${name} changes nothing`, async () => {
      assertProblem(await http.send('POST', `/tasks/${id}/cancel`, undefined, headers()), 403, 'cross-origin');
      assertProblem(await http.send('POST', '/tasks', { type: 'x' }, headers()), 403, 'cross-origin');
      assertProblem(await http.send('PUT', '/queues/a', { paused: true }, headers()), 403, 'cross-origin');
      assertProblem(await http.send('DELETE', `/tasks/${id}`, undefined, headers()), 403, 'cross-origin');
      assert.equal((await http.get(`/tasks/${id}`)).json.state, 'queued');
    });
  }

  it('may link to what is only read', async () => {
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'http://evil.example' };
    const answer = await http.get(`/tasks/${id}`, headers);
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['access-control-allow-origin'], undefined, 'which its scripts cannot read');
  });
});

describe('a name that others gave our address', () => {
  for (const host of [
    'evil.example:8080',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '10.0.0.1',
  ]) {
    it(`${host} is refused on loopback, reading too`, async () => {
      const headers = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
      assertProblem(await http.send('POST', '/tasks', { type: 'x' }, headers), 403, 'cross-origin');
      assertProblem(await http.get('/tasks', { host }), 403, 'cross-origin');
    });
  }

  it('is as good as any where more than loopback is listened on', async () => {
    const { status } = await httpClient(open.url).send('POST', '/tasks', { type: 'x' }, { host: 'other.example' });
    assert.equal(status, 201);
  });
});

describe('let through', () => {
  const clients: [string, () => Headers][] = [
    ['who is no browser', () => ({})],
    ['who says localhost', () => ({ host: 'LocalHost:1234' })],
    ['who says another address of loopback', () => ({ host: '127.1.2.3' })],
    ['who says ::1', () => ({ host: '[::1]:8080' })],
    ['our own page', () => ({ origin: `http://${own()}`, 'sec-fetch-site': 'same-origin' })],
    ['our own page without Origin', () => ({ 'sec-fetch-site': 'same-origin' })],
    ['a person at the address bar', () => ({ 'sec-fetch-site': 'none' })],
    ['our page through a proxy', () => ({ host: advertisedHost, origin: `https://${advertisedHost}` })],
    ['our page through a proxy that says our address', () => ({ origin: `https://${advertisedHost}:8443` })],
  ];
  for (const [name, headers] of clients) {
    it(name, async () => {
      const { status, body } = await http.send('POST', '/tasks', { type: 'x' }, headers());
      assert.equal(status, 201, body);
    });
  }
});

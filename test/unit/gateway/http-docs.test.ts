// Goal: the reading page loads everything from us and may load nothing from elsewhere. Method: every address that the page names is
// asked for, from the address that a browser would make of it; its policy is read word by word.

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { docsFiles } from '../../../gateway/http/docs-page.ts';
import { type HttpClient, httpClient } from '../../support/http-client.ts';
import { rawRequest } from '../../support/raw-http.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';

let gateway: TestGateway;
let http: HttpClient;

before(async () => {
  gateway = await startTestGateway();
  http = httpClient(gateway.url);
});

after(() => gateway.drain());

const expectedTypes: Record<string, RegExp> = {
  '.css': /^text\/css/,
  '.js': /^text\/javascript/,
  '.png': /^image\/png$/,
  '.json': /^application\/json$/,
};

it('everything that the page names is there, ours and of the right type', async () => {
  const page = await http.get('/docs');
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8');
  const named = [...page.body.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address = '']) => address);
  assert.equal(named.length, 4);
  const initializer = await http.get('/docs/initializer.js');
  const [, document = ''] = /url: '([^']*)'/.exec(initializer.body) ?? [];
  for (const address of [...named, document]) {
    const url = new URL(address, `${gateway.url}/docs`);
    assert.equal(url.origin, gateway.url);
    const answer = await http.get(url.pathname);
    assert.equal(answer.status, 200, address);
    const [extension = ''] = /\.\w+$/.exec(address) ?? [];
    assert.match(answer.headers['content-type'] ?? '', expectedTypes[extension] ?? /never/, address);
    assert.equal(answer.headers['x-content-type-options'], 'nosniff');
    assert.ok(answer.body.length > 100);
  }
});

it('the page has no script, style or handler of its own that the policy would have to allow', async () => {
  const { body } = await http.get('/docs');
  assert.ok(!/<script(?![^>]*\ssrc=)|<style|\son\w+=|\sstyle=|javascript:/i.test(body), body);
});

it('its policy allows what we serve, and nothing else', async () => {
  const { headers } = await http.get('/docs');
  const policy = new Map(
    (headers['content-security-policy'] ?? '').split('; ').map((directive) => {
      const [name = '', ...sources] = directive.split(' ');
      return [name, sources.join(' ')] as const;
    }),
  );
  assert.equal(policy.get('default-src'), "'none'");
  for (const [name, sources] of policy) {
    assert.ok(["'none'", "'self'", ...(name === 'img-src' ? ["'self' data:"] : [])].includes(sources), name);
  }
  assert.deepEqual([policy.get('script-src'), policy.get('connect-src')], ["'self'", "'self'"]);
});

it('nobody is asked whether the document is valid', async () => {
  assert.match((await http.get('/docs/initializer.js')).body, /validatorUrl: null/);
});

it('with a slash leads to the one without, also below a path of somebody else', async () => {
  const answer = await fetch(`${gateway.url}/docs/`, { redirect: 'manual' });
  assert.equal(answer.status, 308);
  const location = answer.headers.get('location') ?? '';
  assert.equal(new URL(location, `${gateway.url}/docs/`).pathname, '/docs');
  assert.equal(new URL(location, 'https://proxy.example/tasks-of-us/docs/').pathname, '/tasks-of-us/docs');
});

it('only the files of the page are served', async () => {
  for (const name of ['package.json', 'index.html', '..%2fpackage.json', '%2e%2e', 'swagger-ui.css.map', '%00', '']) {
    const answer = await fetch(`${gateway.url}/docs/${name}`, { redirect: 'manual' });
    assert.equal(answer.status, name === '' ? 308 : 404, name);
  }
});

it('its files are read and compressed once, whoever asks', async () => {
  const file = docsFiles.get('swagger-ui-bundle.js');
  assert.ok(file);
  const [first, second] = await Promise.all([file.content(), file.content()]);
  assert.equal(first, second);
  const asked = async (encoding: string) => {
    const headers = { 'accept-encoding': encoding };
    const answer = await rawRequest(gateway.url, { method: 'GET', path: '/docs/swagger-ui-bundle.js', headers });
    assert.ok(answer);
    assert.ok(answer.text === first.plain.toString());
    assert.match(answer.headers.vary ?? '', /accept-encoding/i);
    return [answer.headers['content-encoding'], answer.headers['content-length']];
  };
  // What is compressed anew has no length beforehand.
  assert.deepEqual(await asked('gzip, deflate, br'), ['gzip', String(first.gzip?.length)]);
  assert.deepEqual(await asked('identity'), [undefined, String(first.plain.length)]);
  assert.deepEqual(await asked('gzip;q=0'), [undefined, String(first.plain.length)]);
});

// Goal: a payload becomes the request that it says or is refused for good; redirects follow the fetch standard.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../../domain/task.ts';
import { HandlerFailure } from '../../../services/worker/handlers/handler-failure.ts';
import { retryAfterMs } from '../../../services/worker/handlers/http.ts';
import { readRequest, redirected } from '../../../services/worker/handlers/http-request.ts';

test('a string body is sent as it is, anything else as JSON', () => {
  const text = readRequest({ url: 'http://h/', method: 'post', body: 'x' });
  assert.equal(text.method, 'POST');
  assert.equal(text.body, 'x');
  assert.equal(text.headers.has('content-type'), false);
  const json = readRequest({ url: 'http://h/', method: 'PUT', body: { a: [1] } });
  assert.equal(json.body, '{"a":[1]}');
  assert.equal(json.headers.get('content-type'), 'application/json');
  const typed = readRequest({ url: 'http://h/', method: 'PUT', headers: { 'Content-Type': 'a/b' }, body: [] });
  assert.equal(typed.headers.get('content-type'), 'a/b');
});

test('what is no request is refused for good', () => {
  const payloads: Json[] = [
    null,
    'http://h/',
    {},
    { url: 1 },
    { url: 'nonsense' },
    { url: 'file:///etc/passwd' },
    { url: 'http://user:secret@h/' },
    { url: 'http://h/', body: 'x' },
    { url: 'http://h/', method: 'BAD METHOD' },
    { url: 'http://h/', headers: { a: 1 } },
    { url: 'http://h/', headers: { 'a b': 'x' } },
    { url: 'http://h/', headers: { Host: 'other' } },
    { url: 'http://h/', header: {} },
  ];
  for (const payload of payloads) {
    assert.throws(
      () => readRequest(payload),
      (error) => error instanceof HandlerFailure && error.code === 'invalid_task' && !error.retryable,
      JSON.stringify(payload),
    );
  }
});

test('a redirect turns POST into GET where it must, and takes no credentials to another origin', () => {
  const post = readRequest({ url: 'http://h/a', method: 'POST', headers: { authorization: 'x' }, body: { a: 1 } });
  const same = redirected(post, 307, '/b');
  assert.deepEqual([same.url.href, same.method, same.body], ['http://h/b', 'POST', '{"a":1}']);
  assert.equal(same.headers.get('authorization'), 'x');
  const other = redirected(post, 303, 'http://other/');
  assert.deepEqual([other.url.href, other.method, other.body], ['http://other/', 'GET', null]);
  assert.deepEqual([...other.headers.keys()], []);
  assert.equal(redirected(post, 302, 'b').method, 'GET');
  assert.equal(redirected({ ...post, method: 'PUT' }, 302, 'b').method, 'PUT');
  assert.equal(redirected({ ...post, method: 'HEAD', body: null }, 303, 'b').method, 'HEAD');
});

test('Retry-After is seconds or a date', () => {
  assert.equal(retryAfterMs(null), null);
  assert.equal(retryAfterMs('7'), 7000);
  assert.equal(retryAfterMs('soon'), null);
  assert.equal(retryAfterMs('Thu, 01 Jan 1970 00:00:00 GMT'), 0);
  const inAMinute = retryAfterMs(new Date(Date.now() + 60_000).toUTCString()) ?? 0;
  assert.ok(inAMinute > 50_000 && inAMinute <= 60_000);
});

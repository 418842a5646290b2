// Goal: the http handler calls exactly the hosts of its list, however either is written.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allowedHosts } from '../../../services/worker/handlers/http-hosts.ts';

function allows(entries: string[], url: string): boolean {
  const hosts = allowedHosts(entries);
  assert.deepEqual(hosts.faults, []);
  return hosts.allows(new URL(url));
}

test('a host alone is any port of it, nothing else', () => {
  assert.ok(allows(['api.example.com'], 'http://api.example.com/x'));
  assert.ok(allows(['api.example.com'], 'https://API.example.COM:8443/x'));
  assert.ok(allows([' API.Example.com '], 'http://api.example.com/'));
  for (const other of ['example.com', 'x.api.example.com', 'api.example.com.evil.test', 'api.example.com.']) {
    assert.equal(allows(['api.example.com'], `http://${other}/`), false, other);
  }
  assert.equal(allows(['api.example.com'], 'http://api.example.com@evil.test/'), false);
  assert.equal(allows(['api.example.com'], 'ftp://api.example.com/'), false);
  assert.equal(allows([], 'http://localhost/'), false);
});

test('a host with a port is that port only, default ports included', () => {
  assert.ok(allows(['localhost:8080'], 'http://localhost:8080/'));
  assert.equal(allows(['localhost:8080'], 'http://localhost/'), false);
  assert.ok(allows(['localhost:80'], 'http://localhost/'));
  assert.equal(allows(['localhost:80'], 'https://localhost/'), false);
  assert.ok(allows(['localhost:443'], 'https://localhost/'));
});

test('IPv4 and IPv6 addresses in any spelling', () => {
  assert.ok(allows(['127.0.0.1'], 'http://127.1:9/'));
  assert.ok(allows(['::1'], 'http://[::1]:8080/'));
  assert.ok(allows(['[0:0:0:0:0:0:0:1]:8080'], 'http://[::1]:8080/'));
  assert.equal(allows(['[::1]:8080'], 'http://[::1]/'), false);
});

test('entries that are no hosts are named', () => {
  for (const entry of ['', 'http://x', 'x/y', 'x:0', 'x:99999', 'x y', 'user@x', 'x:']) {
    const { faults } = allowedHosts([entry]);
    assert.equal(faults.length, 1, entry);
    assert.match(faults[0] ?? '', /HTTP_HANDLER_HOSTS/);
  }
});

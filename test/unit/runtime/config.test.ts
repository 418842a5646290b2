// Goal: the environment contract of the three processes. Method: read made-up environments; compare values, and for bad
// ones the complete list of faults.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { limits } from '../../../domain/limits.ts';
import { madeUpId, readGatewayConfig, readMasterConfig, readWorkerConfig } from '../../../runtime/config.ts';
import { ConfigError, type Environment } from '../../../runtime/environment.ts';
import { isZnodeName, parseConnectString } from '../../../runtime/zookeeper-config.ts';

let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'taskkeeper-config-'));
});
after(() => rmSync(dir, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

function faultsOf(read: (env: Environment) => unknown, env: Environment): string[] {
  try {
    read(env);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.faults.map((fault) => fault.variable);
  }
  return [];
}

test('an empty environment gives the defaults of the contract', () => {
  assert.deepEqual(readGatewayConfig({}), {
    httpPort: 8080,
    grpcPort: 50_051,
    unfinishedTasksMax: 100_000,
    waitsMax: 10_000,
    zookeeper: {
      connect: { servers: [{ host: '127.0.0.1', port: 2181 }], chroot: '' },
      sessionTimeoutMs: 6000,
      tls: null,
      digest: null,
    },
    host: '127.0.0.1',
    advertisedHost: '127.0.0.1',
    logLevel: 'info',
  });
  const { id: masterId, zookeeper: _z, host: _h, advertisedHost: _a, logLevel: _l, ...master } = readMasterConfig({});
  assert.deepEqual(master, { adminPort: 0, finishedTasksMax: 100_000, minRetentionMs: 60_000 });
  assert.match(masterId, /^master-/);
  const worker = readWorkerConfig({});
  assert.match(worker.id, /^worker-/);
  assert.equal(worker.concurrency, 16);
  assert.equal(worker.queues, null);
  assert.equal(worker.shellHandler, false);
  assert.equal(worker.handlersDir, null);
  assert.deepEqual(worker.httpHandlerHosts, []);
});

test('what is set is taken, and an empty variable counts as not set', () => {
  const worker = readWorkerConfig({
    WORKER_ID: 'worker1',
    WORKER_CONCURRENCY: '50',
    WORKER_QUEUES: 'mail, reports.daily,,mail',
    HANDLERS_DIR: dir,
    SHELL_HANDLER: 'on',
    HTTP_HANDLER_HOSTS: 'API.example.com, localhost:8080,[::1]:80',
    HOST: '',
    ADMIN_PORT: ' 9000 ',
    LOG_LEVEL: 'debug',
    SOMETHING_ELSE: 'left alone',
  });
  assert.equal(worker.id, 'worker1');
  assert.equal(worker.concurrency, 50);
  assert.deepEqual(worker.queues, ['mail', 'reports.daily']);
  assert.equal(worker.handlersDir, dir);
  assert.equal(worker.shellHandler, true);
  assert.deepEqual(worker.httpHandlerHosts, ['api.example.com', 'localhost:8080', '[::1]:80']);
  assert.equal(worker.host, '127.0.0.1');
  assert.equal(worker.adminPort, 9000);
  assert.equal(worker.logLevel, 'debug');
});

test('where every interface is listened on, others are told the host name', () => {
  assert.equal(readGatewayConfig({ HOST: '0.0.0.0' }).advertisedHost, hostname());
  assert.equal(readGatewayConfig({ HOST: '::' }).advertisedHost, hostname());
  assert.equal(readGatewayConfig({ HOST: '10.0.0.5' }).advertisedHost, '10.0.0.5');
  assert.equal(readGatewayConfig({ HOST: '0.0.0.0', ADVERTISED_HOST: 'gateway-1' }).advertisedHost, 'gateway-1');
});

test('all faults are reported at once, with the value and what is accepted', () => {
  const env = {
    HTTP_PORT: '80a',
    GRPC_PORT: '65536',
    MAX_WAITS: '0',
    HOST: 'http://x',
    ZOOKEEPER_CONNECT: 'zk1:2181,',
    ZOOKEEPER_SESSION_TIMEOUT_MS: '-1',
    ZOOKEEPER_TLS_CERT: join(dir, 'absent.pem'),
    LOG_LEVEL: 'loud',
  };
  assert.deepEqual(faultsOf(readGatewayConfig, env).sort(), [
    'GRPC_PORT',
    'HOST',
    'HTTP_PORT',
    'LOG_LEVEL',
    'MAX_WAITS',
    'ZOOKEEPER_CONNECT',
    'ZOOKEEPER_SESSION_TIMEOUT_MS',
    'ZOOKEEPER_TLS_CA',
    'ZOOKEEPER_TLS_CERT',
  ]);
  assert.throws(
    () => readGatewayConfig({ HTTP_PORT: '80a' }),
    /^ConfigError: HTTP_PORT=80a must be a whole number from 0/,
  );
  assert.deepEqual(faultsOf(readGatewayConfig, { HTTP_PORT: '9000', GRPC_PORT: '9000' }), ['GRPC_PORT']);
  assert.deepEqual(faultsOf(readGatewayConfig, { HTTP_PORT: '0', GRPC_PORT: '0' }), []);
});

test('faults of a worker', () => {
  const env = {
    WORKER_ID: 'a/b',
    WORKER_CONCURRENCY: '0',
    WORKER_QUEUES: 'mail;reports',
    HANDLERS_DIR: join(dir, 'absent'),
    SHELL_HANDLER: 'yes',
    HTTP_HANDLER_HOSTS: 'https://example.com',
  };
  assert.deepEqual(faultsOf(readWorkerConfig, env).sort(), Object.keys(env).sort());
  const queues = (count: number) => Array.from({ length: count }, (_, i) => `q${i}`).join(',');
  assert.equal(readWorkerConfig({ WORKER_QUEUES: queues(limits.workerQueuesMax) }).queues?.length, 100);
  for (const bad of [',', 'a/b', 'x'.repeat(65), queues(limits.workerQueuesMax + 1)]) {
    assert.deepEqual(faultsOf(readWorkerConfig, { WORKER_QUEUES: bad }), ['WORKER_QUEUES'], bad);
  }
});

test('connect strings', () => {
  const one = { host: 'zk1', port: 2181 };
  assert.deepEqual(parseConnectString('zk1'), { servers: [one], chroot: '' });
  assert.deepEqual(parseConnectString('zk1:2181, zk2:2182/app/prod'), {
    servers: [one, { host: 'zk2', port: 2182 }],
    chroot: '/app/prod',
  });
  assert.deepEqual(parseConnectString('zk1/'), { servers: [one], chroot: '' });
  assert.deepEqual(parseConnectString('[::1]:2181'), { servers: [{ host: '::1', port: 2181 }], chroot: '' });
  for (const bad of ['', ',', 'zk1:', 'zk1:0', 'zk1:99999', 'zk 1', 'zk1//a', 'zk1/a/../b', '[zk1]:1', 'zk1:2:3']) {
    assert.equal(parseConnectString(bad), null, bad);
  }
});

test('TLS files and digest file are read, and secrets never stand in a fault', () => {
  const ca = file('ca.pem', '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n');
  const digest = file('digest', 'user:pass:word\n');
  const { zookeeper } = readMasterConfig({ ZOOKEEPER_TLS_CA: ca, ZOOKEEPER_DIGEST_FILE: digest });
  assert.equal(zookeeper.digest, 'user:pass:word');
  assert.match(zookeeper.tls?.ca ?? '', /BEGIN CERTIFICATE/);
  assert.equal(zookeeper.tls?.cert, null);

  const garbage = file('garbage', 'secret without a colon');
  assert.throws(
    () => readMasterConfig({ ZOOKEEPER_DIGEST_FILE: garbage }),
    (error: ConfigError) => !error.message.includes('secret') && error.message.includes(garbage),
  );
  assert.deepEqual(faultsOf(readMasterConfig, { ZOOKEEPER_TLS_CA: ca, ZOOKEEPER_TLS_CERT: ca }), ['ZOOKEEPER_TLS_KEY']);
  assert.deepEqual(
    faultsOf(readMasterConfig, { ZOOKEEPER_TLS_CA: ca, ZOOKEEPER_TLS_CERT: ca, ZOOKEEPER_TLS_KEY: ca }),
    ['ZOOKEEPER_TLS_KEY'],
  );
});

test('made-up ids are legal znode names and differ', () => {
  for (const host of ['plain', 'a/b', '..', '', 'bücher.example', 'x'.repeat(300)]) {
    const id = madeUpId('worker', host);
    assert.ok(isZnodeName(id) && /^worker-[A-Za-z0-9._-]+-[0-9a-f]{8}$/.test(id), id);
  }
  assert.notEqual(madeUpId('worker', 'h'), madeUpId('worker', 'h'));
});

test('znode names', () => {
  for (const name of ['worker1', 'a b', 'bücher', '127.0.0.2:2222', '...']) assert.ok(isZnodeName(name), name);
  for (const name of ['', '.', '..', 'a/b', 'a\u0000b', 'a\nb', '\u007f', '\ud83d\ude00', '\ufff0']) {
    assert.ok(!isZnodeName(name), JSON.stringify(name));
  }
});

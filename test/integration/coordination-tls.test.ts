// Goal: sessions over TLS: the server has to show a certificate of our CA, we show one of our own where the server wants
// it, and whoever is not who it should be is refused with the reason in the log. (The npm client has no TLS.)

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { findFreePort } from '../../scripts/ports.ts';
import { create, next, openSession, within } from '../fault/session-harness.ts';
import { onCleanup, type TestScope, wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const dir = mkdtempSync(join(tmpdir(), 'taskkeeper-tls-'));
onCleanup(wholeFile, () => rmSync(dir, { recursive: true, force: true }));
const file = (name: string) => join(dir, name);
const pem = (name: string) => readFileSync(file(name), 'utf8');
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });

function makeAuthority(name: string): void {
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', `${name}.key`];
  openssl('req', '-x509', ...key, '-out', `${name}.pem`, '-subj', `/CN=${name}`, '-days', '2');
}

/** Signed by `authority`, good for 127.0.0.1. */
function makeCertificate(name: string, authority: string): void {
  openssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    `/CN=${name}`,
  );
  writeFileSync(file('san'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  const signing = ['-CA', `${authority}.pem`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-extfile', 'san'];
  openssl('x509', '-req', '-in', `${name}.csr`, ...signing, '-out', `${name}.crt`, '-days', '2');
  writeFileSync(file(`${name}.pem`), pem(`${name}.key`) + pem(`${name}.crt`));
}

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const skip = hasOpenssl ? false : 'no openssl here to make certificates with';
if (hasOpenssl) {
  makeAuthority('authority');
  makeAuthority('stranger');
  makeCertificate('server', 'authority');
  makeCertificate('client', 'authority');
}

/** Debian's ZooKeeper names too few of netty's jars for TLS; other distributions bring all that they need. */
const netty = ['common', 'buffer', 'transport', 'handler', 'codec', 'resolver', 'transport-native-unix-common']
  .map((part) => `/usr/share/java/netty-${part}.jar`)
  .filter((jar) => existsSync(jar));
const jvmFlags = netty.length === 0 ? [] : [`-Xbootclasspath/a:${netty.join(delimiter)}`];

/** `clientAuth` `need`: only who shows a certificate of the authority comes in. */
async function startSecure(scope: TestScope, clientAuth: 'need' | 'none') {
  const [port, plainPort] = await twoPorts();
  await startZooKeeper(scope, {
    port: plainPort,
    jvmFlags,
    extraConfig: {
      serverCnxnFactory: 'org.apache.zookeeper.server.NettyServerCnxnFactory',
      secureClientPort: port,
      secureClientPortAddress: '127.0.0.1',
      'ssl.keyStore.location': file('server.pem'),
      'ssl.trustStore.location': file('authority.pem'),
      'ssl.clientAuth': clientAuth,
    },
  });
  return { port };
}

async function twoPorts(): Promise<[number, number]> {
  for (;;) {
    const [first, second] = [await findFreePort(), await findFreePort()];
    if (first !== second) return [first, second];
  }
}

const trusting = (ca: string) => ({ ca: pem(`${ca}.pem`), cert: null, key: null });
const known = () => ({ ca: pem('authority.pem'), cert: pem('client.crt'), key: pem('client.key') });
const sessionTimeoutMs = 10_000;

test('a CA, or a CA and a certificate of our own', { skip }, async (t) => {
  const open = await startSecure(t, 'none');
  const proxy = await startFaultProxy(t, open);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs, tls: trusting('authority') });
  await session.commit([create('/secure', 'data')]);
  proxy.cut();
  await next(session, 'connected');
  assert.equal((await session.getData('/secure'))?.data.toString(), 'data');

  const { session: withCertificate } = await openSession(t, open, { sessionTimeoutMs, tls: known() });
  assert.ok(await withCertificate.exists('/secure'));
  await refusedWith(t, open, { tls: trusting('stranger') }, /unable to verify|self-signed|certificate signature/);
});

test('a server that asks for a certificate', { skip }, async (t) => {
  const strict = await startSecure(t, 'need');
  const { session } = await openSession(t, strict, { sessionTimeoutMs, tls: known() });
  await session.commit([create('/strict')]);
  await refusedWith(t, strict, { tls: trusting('authority') }, /certificate|handshake/i);
  await refusedWith(t, strict, { tls: null }, /did not answer the handshake|ECONNRESET/, true);
});

/** It never connects, and says why. `silently`: the server may also just hang up. */
async function refusedWith(
  t: TestContext,
  server: { port: number },
  options: { tls: ReturnType<typeof trusting> | null },
  why: RegExp,
  silently = false,
): Promise<void> {
  const proxy = await startFaultProxy(t, server);
  const opened = await openSession(t, proxy, { sessionTimeoutMs: 1000, connected: false, ...options });
  await within(
    proxy.nextFrame(({ connection }) => connection === 3),
    'a third attempt',
  );
  assert.equal(opened.session.state, 'connecting');
  const reasons = opened.logs.filter(({ msg }) => /no link/.test(msg)).map((line) => String(line['why']));
  assert.ok(silently || reasons.some((reason) => why.test(reason)), `${reasons}`);
  await opened.session.close();
}

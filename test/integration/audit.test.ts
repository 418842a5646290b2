// Goal: `npm run audit` tells a healthy tree from a broken one, on a system that works as well as on one at rest, and changes nothing.
// Method: the real program on a real ZooKeeper: beside a stack under traffic whose finished tasks go at once, again and again; and on a
// tree into which the test writes what no process of ours would.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { quietFindings } from '../../audit/audit-tree.ts';
import type { Finding } from '../../audit/finding.ts';
import { auditLive } from '../../audit/live-audit.ts';
import { mastersToAsk, pictureFindings } from '../../audit/live-pictures.ts';
import { readTree } from '../../audit/tree-reader.ts';
import { ensureParents } from '../../coordination/bootstrap.ts';
import { nextSequenceNumber } from '../../coordination/task-sequence.ts';
import { openSession } from '../fault/session-harness.ts';
import { onCleanup, type TestScope, wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { startScript } from '../support/process.ts';
import { calmSessionMs, type Stack, startStack } from '../support/stack.ts';
import { openSession as openTestSession } from '../support/stack-session.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { assignment, attempt, status, task, worker } from '../unit/audit/forged-tree.ts';

const zookeeper = await startZooKeeper(wholeFile);

interface Audit {
  readonly code: number | null;
  /** All that was printed. */
  readonly output: string;
}

async function audit(scope: TestScope, connect: string, ...args: string[]): Promise<Audit> {
  const script = fileURLToPath(new URL('../../audit/main.js', import.meta.url));
  const program = startScript(scope, script, { ZOOKEEPER_CONNECT: connect }, args);
  const { code } = await program.exited;
  return { code, output: program.output };
}

interface Told {
  readonly znodes: number;
  readonly tasks: number;
  readonly masters: readonly string[];
  readonly violations: number;
  readonly odd: number;
  readonly server: string | null;
  readonly leader: { readonly kind: string; readonly address?: string; readonly since?: string };
  readonly workers: number;
  readonly unfinished: { readonly scheduled: number };
  readonly findings: readonly {
    readonly severity: string;
    readonly rule: string;
    readonly path: string;
    readonly changedAt: string | null;
    readonly hint: string;
  }[];
}

async function auditJson(scope: TestScope, connect: string, ...args: string[]): Promise<Told & Audit> {
  const told = await audit(scope, connect, '--json', ...args);
  assert.ok(told.output.startsWith('{'), told.output);
  return { ...told, ...(JSON.parse(told.output) as Told) };
}

/** Of the last transaction. */
async function lastZxid(): Promise<bigint> {
  const match = /^Zxid: 0x([0-9a-f]+)$/m.exec(await zookeeper.fourLetterWord('srvr'));
  assert.ok(match);
  return BigInt(`0x${match[1]}`);
}

/** Tasks of every kind, until it is stopped; what becomes of them is for the audit. */
function startTraffic(t: TestContext, { client }: Stack): { stop: () => Promise<void> } {
  let isStopped = false;
  const failing = { type: 'sleep', payload: 'no', backoff: { type: 'fixed', delayMs: 1, jitter: false } };
  const kinds: readonly ((n: number) => Promise<unknown>)[] = [
    (n) => client.request('POST', '/tasks', { type: 'echo', payload: n, retentionMs: 0 }),
    () => client.request('POST', '/tasks', { ...failing, retentionMs: 0 }),
    (n) => client.request('POST', '/tasks', { type: 'echo', exclusiveKey: `k${n % 2}` }),
    (n) => client.request('POST', '/tasks', { type: 'echo' }, { 'idempotency-key': `"key ${n}"` }),
    (n) => {
      const tasks = [{ type: 'echo' }, { type: 'echo', after: [0] }, { ...failing, after: [0, 1], maxAttempts: 1 }];
      return client.request('POST', '/tasks/batch', { tasks }, { 'idempotency-key': `"batch ${n}"` });
    },
    async () => {
      const { body } = await client.request('POST', '/tasks', { type: 'sleep', payload: { ms: 60_000 } });
      return client.request('POST', `/tasks/${body.id}/cancel`);
    },
  ];
  const lane = async (first: number) => {
    for (let n = first; !isStopped; n += kinds.length) await kinds[first % kinds.length]?.(n);
  };
  const lanes = [...kinds.keys(), ...kinds.keys()].map((_, place) => lane(place));
  const stop = async () => {
    isStopped = true;
    await Promise.all(lanes);
  };
  onCleanup(t, stop);
  return { stop };
}

test('beside heavy traffic there is never a violation, and at rest nothing at all', { timeout: 120_000 }, async (t) => {
  const master = { MIN_RETENTION_MS: 50, MAX_FINISHED_TASKS: 50 };
  const stack = await startStack(t, zookeeper, { masters: 2, workers: 2, sessionTimeoutMs: calmSessionMs, master });
  const { session } = await openSession(t, zookeeper, { chroot: stack.chroot, sessionTimeoutMs: 30_000 });
  const standby = String((await (await stack.standby()).process.waitForLog(/^started$/))['admin']);
  const traffic = startTraffic(t, stack);
  const created = async () => nextSequenceNumber((await session.exists('/tasks')) ?? { cversion: 0, numChildren: 0 });
  const before = await created();
  const until = Date.now() + 4000;
  const isOver = async () => Date.now() >= until && (await created()) - before >= 100;
  const again = async (look: () => Promise<readonly Finding[]>): Promise<number> => {
    let looks = 0;
    for (; !(await isOver()); looks += 1) {
      const violations = (await look()).filter(({ severity }) => severity === 'violation');
      assert.deepEqual(violations, []);
    }
    return looks;
  };
  const ofMasters = async () => {
    const tree = await readTree(session);
    const masters = mastersToAsk([standby], tree);
    assert.equal(masters.length, 2);
    return (await Promise.all(masters.map((address) => pictureFindings(session, address, tree)))).flat();
  };
  const looks = await Promise.all([again(async () => (await auditLive(session, 0)).findings), again(ofMasters)]);
  const passed = (await created()) - before;
  t.diagnostic(`${passed} tasks came meanwhile; looked ${looks[0]} times at the tree, ${looks[1]} at the masters`);
  assert.ok(looks.every((count) => count > 0));
  await traffic.stop();
  await stack.client.submit({ type: 'echo', delayMs: 600_000 });
  const look = async () => {
    const last = await auditJson(t, stack.connect, '--masters', standby);
    return last.findings.length === 0 && last.tasks <= 51 ? last : null;
  };
  const told = await eventually('it is at rest', look, 40_000);
  assert.deepEqual([told.code, told.violations, told.odd, told.masters.length], [0, 0, 0, 2]);
  assert.deepEqual([told.leader.kind, told.workers, told.unfinished.scheduled], ['ours', 2, 1]);
  const quiet = async () => quietFindings(await readTree(session), { now: Date.now(), sessions: null });
  await eventually('what is counted is written down', async () => (await quiet()).length === 0);
});

/** A tree of its own, in which no process of ours is. */
async function openTree(t: TestContext, chroot: string) {
  const connect = `${zookeeper.connect}${chroot}`;
  const session = await openTestSession(t, connect);
  await ensureParents(session);
  return { connect, session };
}

test('what is wrong and what is odd is told, and nothing is changed', async (t) => {
  const { connect, session } = await openTree(t, '/broken');
  const { create } = session;
  for (const id of ['w1', 'w2']) {
    await create(`/assign/${id}`);
    await create(`/workers/${id}`, worker(), 'ephemeral');
  }
  const [twice, ended, lost] = ['/task-0000000001', '/task-0000000002', '/task-0000000003'];
  for (const name of [twice, ended, lost]) await create(`/tasks${name}`, task());
  for (const id of ['w1', 'w2']) await create(`/assign/${id}${twice}`, assignment());
  await create(`/assign/w1${ended}`, assignment());
  await create(`/tasks${ended}/status`, status());
  await create(`/tasks${lost}/attempt-1`, attempt({ outcome: 'lost' }));
  await create(`/tasks${lost}/status`, status());
  await create('/tasks/note', 'buy milk');
  await create('/tasks/task-0000000004', '{"v":2}');
  const { session: other } = await openSession(t, zookeeper, { chroot: '/broken', digest: 'somebody:else' });
  await other.commit([{ kind: 'create', path: '/tasks/task-0000000005', data: task(), mode: 'persistent' }]);
  const before = await lastZxid();
  const told = await auditJson(t, connect);
  assert.equal((await lastZxid()) - before, 2n, 'its session began and ended');
  assert.equal(told.code, 1);
  assert.deepEqual(
    told.findings.map(({ severity, rule, path }) => `${severity} ${rule} ${path}`),
    [
      `violation assigned-and-ended /assign/w1${ended}`,
      `violation assigned-twice /assign/w1${twice}`,
      `violation end-of-ended-attempt /tasks${lost}/status`,
      'odd hidden /tasks/task-0000000005',
      'odd newer-record /tasks/task-0000000004',
      'odd nobody-leads /master',
      'odd unknown-name /tasks/note',
    ],
  );
  const ages = told.findings.map(({ changedAt }) => (changedAt === null ? null : Date.now() - Date.parse(changedAt)));
  for (const [place, age] of ages.entries()) {
    const { rule } = told.findings[place] ?? {};
    assert.equal(age === null, rule === 'nobody-leads', rule);
    assert.ok(age === null || Math.abs(age) < 60_000, `${rule}: ${age} ms ago`);
  }
  assert.deepEqual([told.leader.kind, told.workers, told.server?.startsWith('127.0.0.1:')], ['nobody', 2, true]);
  const { code, output } = await audit(t, connect);
  assert.equal(code, 1);
  assert.match(
    output,
    /^violation assigned-twice: \/assign\/w1\/task-0000000001 is there, and .* w2 as well \(last changed 2\d{3}-.*Z\)$/m,
  );
  assert.match(output, /^ {2}what to do: a leading master takes all back but one/m);
  assert.match(
    output,
    /^ZooKeeper: .*\/broken, asked at 127\.0\.0\.1:\d+: \d+ znodes, 5 tasks, read in .* s\nleader: nobody\n/,
  );
  assert.match(output, /^workers: 2\nunfinished tasks: 3 \(0 scheduled, 0 queued, 1 running, 2 left alone\)$/m);
  assert.match(output, /^3 violations, 4 odd; docs\/audit\.md says what to do$/m);
});

test('oddities alone are no failure; a master that cannot be asked is one', async (t) => {
  const { connect, session } = await openTree(t, '/odd');
  await session.create('/assign/w3');
  const { code, violations, findings } = await auditJson(t, connect, '--masters', '127.0.0.1:1');
  assert.deepEqual([code, violations], [0, 0]);
  const rules = findings.map(({ rule }) => rule);
  assert.deepEqual(rules, ['folder-without-worker', 'nobody-leads', 'picture-missing']);
});

test('where there is nothing to be audited it says why, in its own exit code, and makes nothing', async (t) => {
  const { session } = await openTree(t, '/here');
  await session.create('/empty');
  const [missing, empty, down, wrong, unknown, help] = await Promise.all([
    audit(t, `${zookeeper.connect}/nowhere`),
    audit(t, `${zookeeper.connect}/here/empty`),
    audit(t, '127.0.0.1:1', '--wait', '0.5'),
    audit(t, 'no such:thing', '--wait', 'long', '--masters', 'nobody'),
    audit(t, zookeeper.connect, '--loud'),
    audit(t, zookeeper.connect, '--help'),
  ]);
  assert.equal(missing.code, 2);
  assert.match(missing.output, /there is no \/nowhere: .*\n.*chroot.*Nothing was created/);
  assert.equal(empty.code, 2);
  assert.match(empty.output, /there is no tree of Taskkeeper below \/here\/empty/);
  assert.equal(down.code, 2);
  assert.match(down.output, /no ZooKeeper session at 127\.0\.0\.1:1 within 0\.5 s\. The last trouble: .*ECONNREFUSED/);
  assert.equal(wrong.code, 78);
  assert.match(wrong.output, /ZOOKEEPER_CONNECT=.*\n.*--wait=long must be .*\n.*--masters=nobody must be /);
  assert.equal(unknown.code, 78);
  assert.match(unknown.output, /--loud[\s\S]*npm run audit -- \[options\]/);
  assert.equal(help.code, 0);
  assert.match(help.output, /Exit code: 0/);
  const { session: root } = await openSession(t, zookeeper);
  assert.equal(await root.exists('/nowhere'), null);
  assert.equal((await root.exists('/here/empty'))?.numChildren, 0);
});

// Goal: what breaks a fleet in a chaos run does what it says, is written down, and is undone at its end: a run whose faults are none proves
// nothing. Method: a small fleet of real processes, the faults by themselves, looked at past all proxies.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { diskFull } from '../../chaos/faults/disk-full.ts';
import type { Broken, Injection } from '../../chaos/faults/injection.ts';
import { cut, deafEnsemble, deafProcess, refusingServer, slow, swallow } from '../../chaos/faults/link-faults.ts';
import type { PlannedFault } from '../../chaos/faults/plan.ts';
import { freeze, noQuorum, stop } from '../../chaos/faults/process-faults.ts';
import { runFaults } from '../../chaos/faults/run-faults.ts';
import { type EnsembleServer, serversByMode } from '../../chaos/fleet/ensemble.ts';
import { type Fleet, startFleet } from '../../chaos/fleet/fleet.ts';
import { holdingsOf, leftoversOf } from '../../chaos/fleet/holdings.ts';
import { Observer } from '../../chaos/fleet/observer.ts';
import type { Entry, Fault, Leftover, ProcessEvent } from '../../chaos/record.ts';
import { findOnPath } from '../../scripts/zookeeper-installation.ts';
import { onCleanup, wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { TaskClient } from '../support/task-client.ts';
import type { Frame } from '../support/zookeeper-frames.ts';

const entries: Entry[] = [];
const reportDir = mkdtempSync(join(tmpdir(), 'taskkeeper-fleet-'));
onCleanup(wholeFile, () => rmSync(reportDir, { recursive: true }));
let fleet: Fleet;
let client: TaskClient;

before(async () => {
  const shape = { masters: 1, workers: 1, gateways: 1 };
  fleet = await startFleet(wholeFile, { ...shape, reportDir, record: (entry) => entries.push(entry) });
  client = new TaskClient(fleet.gateways[0]?.url ?? '');
});

const planned: PlannedFault = { n: 1, fault: 'kill', atMs: 0, forMs: 0, targets: [] };

async function during(injection: Injection, target: string[], look: (broken: Broken) => Promise<void>, detail = {}) {
  const broken = await injection(fleet, target, { ...planned, ...detail });
  try {
    await look(broken);
  } finally {
    await broken.heal();
  }
  await fleet.settle();
}

const eventsOf = (id: string) =>
  entries.filter((entry): entry is ProcessEvent => entry.kind === 'process' && entry.id === id);
const exists = async (path: string) => (await fleet.observer.session?.exists(path)) ?? null;

const noPrlimit = findOnPath('prlimit') ? false : 'prlimit (util-linux) is not here';
/** Of what has more than the one byte that the limit leaves. */
const lastWriteMs = (server: string) => {
  const dir = join(reportDir, server, 'data', 'version-2');
  const files = readdirSync(dir).map((file) => statSync(join(dir, file)));
  return Math.max(...files.filter(({ size }) => size > 1).map(({ mtimeMs }) => mtimeMs));
};

test('a process that ends by itself is written down and started again, at the same address', async () => {
  const { pid } = fleet.process('gateway1');
  process.kill(pid as number, 'SIGKILL');
  await eventually('it is started again', () => fleet.process('gateway1').lives === 2);
  const [started, exited, again] = eventsOf('gateway1');
  assert.deepEqual([started?.event, started?.pid], ['started', pid]);
  assert.deepEqual([exited?.event, exited?.pid, exited?.signal], ['exited', pid, 'SIGKILL']);
  assert.equal(again?.event, 'started');
  assert.notEqual(again?.pid, pid);
  await fleet.settle();
  await client.run({ type: 'echo' });
});

test('the session of a worker that is frozen ends, and it comes back with another', async () => {
  const session = fleet.service('worker1').links.session;
  assert.equal((await exists('/workers/worker1'))?.ephemeralOwner, session);
  await during(freeze, ['worker1'], async () => {
    await eventually('its session is over', async () => (await exists('/workers/worker1')) === null);
    assert.equal(fleet.process('worker1').state, 'frozen');
  });
  assert.notEqual(fleet.service('worker1').links.session, session);
});

test('a process that is stopped ends cleanly, and stays down until it is healed', async () => {
  await during(stop, ['worker1'], async () => {
    await eventually('it is down', () => fleet.process('worker1').state === 'down');
    assert.deepEqual(eventsOf('worker1').at(-1)?.code, 0);
  });
});

test('a swallowed reply is that of a transaction that was applied', async () => {
  const marker = 'swallowed';
  await during(swallow, ['gateway1'], async ({ spent }) => {
    const before = (await fleet.observer.session?.childNames('/tasks')) ?? [];
    const answer = client.request('POST', '/tasks', { type: 'echo', labels: { marker } });
    await spent;
    const after = (await fleet.observer.session?.childNames('/tasks')) ?? [];
    assert.equal(after.length, before.length + 1);
    assert.equal((await answer).status, 201, 'it was found by its submit id');
  });
  assert.equal(
    fleet.service('gateway1').links.links.reduce((n, { proxy }) => n + proxy.connections, 0),
    1,
  );
});

test('a server whose disk is full writes nothing, and has it all later', { skip: noPrlimit }, async () => {
  const { id } = (await serversByMode(fleet.servers)).follower[0] as EnsembleServer;
  const isTaken = async () => (await client.trySubmit({ type: 'echo' })).kind === 'yes';
  await during(diskFull, [id], async () => {
    const before = lastWriteMs(id);
    await eventually('a task is taken', isTaken);
    assert.equal(lastWriteMs(id), before);
  });
  const before = lastWriteMs(id);
  await eventually('a task is taken', isTaken);
  await eventually('it is on its disk', () => lastWriteMs(id) > before);
});

test('a link that is cut is left for another one, in the same session', async () => {
  const { links } = fleet.service('gateway1');
  const [session, used] = [links.session, links.links.find(({ isUsed }) => isUsed)];
  const choice = { links: 'used' };
  await during(
    cut,
    ['gateway1'],
    async () => {
      await eventually('another link is used', () => links.links.some((link) => link !== used && link.isUsed));
      assert.equal(used?.isUsed, false);
      await client.run({ type: 'echo' });
    },
    choice,
  );
  assert.equal(links.session, session);
});

test('a process that is deaf does what it can no longer hear of; one that nobody hears does nothing', async () => {
  const tasks = async () => (await fleet.observer.session?.childNames('/tasks'))?.length ?? 0;
  const before = await tasks();
  let answer: Promise<unknown> = Promise.resolve();
  await during(deafProcess, ['gateway1'], async () => {
    answer = client.trySubmit({ type: 'echo' });
    await eventually('the task is there', async () => (await tasks()) === before + 1);
  });
  await answer;
  await during(deafEnsemble, ['gateway1'], async () => {
    answer = client.trySubmit({ type: 'echo' });
    await eventually('its session is over', async () => !(await fleet.gateways[0]?.isReady()));
    assert.equal(await tasks(), before + 1);
  });
  await answer;
});

test('what goes over a slow link takes longer, each way', async () => {
  const { id } = await client.run({ type: 'echo' });
  await during(
    slow,
    ['gateway1'],
    async () => {
      const asked = performance.now();
      await client.get(id);
      assert.ok(performance.now() - asked >= 200, 'a round trip has 100 ms each way');
    },
    { delayMs: 100 },
  );
});

test('from a server that refuses everybody moves away', async () => {
  const server = fleet.servers[1]?.id as string;
  const toIt = fleet.services.flatMap(({ links }) => links.links.filter((link) => link.server === server));
  await during(refusingServer, [server], async () => {
    assert.ok(toIt.every(({ isUsed }) => !isUsed));
    await client.run({ type: 'echo' });
    assert.ok(toIt.every(({ isUsed }) => !isUsed));
  });
});

test('what is still held is seen, and what is let go of is not', async () => {
  const before = await holdingsOf(fleet);
  const { id } = await client.submit({ type: 'echo', delayMs: 3_600_000 });
  const leaving = new AbortController();
  const answer = fetch(`${client.url}/tasks/${id}?wait=60s`, { signal: leaving.signal }).catch(() => undefined);
  const watchesOf = async () => {
    const leftovers = await leftoversOf(fleet, before, 0);
    const { baseline, end } = leftovers.find((leftover) => leftover.id === 'gateway1') as Leftover;
    return (end['status watches'] as number) - (baseline['status watches'] as number);
  };
  await eventually('the wait is seen', async () => (await watchesOf()) === 1);
  leaving.abort();
  await answer;
  await eventually('it is not any more', async () => (await watchesOf()) === 0);
});

const isHandshake = ({ handshake, direction }: Frame) => handshake && direction === 'toServer';

test('who looks on has the next session where one is lost before it saw anything', async (t) => {
  const proxy = await startFaultProxy(t, fleet.servers[0] as EnsembleServer);
  const addWatch = 106;
  const cutOff = proxy.nextFrame(({ opcode }) => opcode === addWatch).then(() => proxy.silence());
  const observer = new Observer(t, `${proxy.connect}/looked-at`, 600);
  await cutOff;
  const sessionAt = 16; // of the request of a handshake
  await proxy.nextFrame((frame) => isHandshake(frame) && frame.body.readBigInt64BE(sessionAt) === 0n);
  await proxy.heal();
  await eventually('it has another session', () => observer.session);
});

test('without two of three servers nothing is taken, and with them everything is again', async () => {
  await during(noQuorum, ['zookeeper1', 'zookeeper2'], async () => {
    await eventually('the gateway is not ready', async () => !(await fleet.gateways[0]?.isReady()));
    assert.notEqual((await client.trySubmit({ type: 'echo' })).kind, 'yes');
  });
  await client.run({ type: 'echo' });
});

test('a run that is told to stop leaves nothing broken; who is broken already is passed over', async () => {
  const begun = new Set<number>();
  const faults: Fault[] = [];
  const stopping = new AbortController();
  const note = (entry: Entry) => {
    if (entry.kind !== 'fault') return;
    faults.push(entry);
    begun.add(entry.n);
    if (begun.size === 3) stopping.abort();
  };
  const long = { atMs: 0, forMs: 60_000 };
  const plan: PlannedFault[] = [
    { ...long, n: 1, fault: 'freeze', targets: [{ id: 'worker1' }] },
    { ...long, n: 2, fault: 'kill', targets: [{ who: 'busy worker', draw: 0 }] },
    { ...long, n: 3, fault: 'cut', targets: [{ id: 'gateway1' }] },
    { ...long, n: 4, fault: 'kill', targets: [{ who: 'ensemble leader', draw: 0 }] },
  ];
  const leader = (await serversByMode(fleet.servers)).leader[0]?.id;
  const skipped = await runFaults(fleet, plan, note, stopping.signal);
  assert.deepEqual(
    skipped.map(({ planned: { n } }) => n),
    [2],
  );
  assert.deepEqual(
    faults
      .filter(({ to }) => to !== null)
      .map(({ n, fault, targets }) => [n, fault, targets])
      .sort(),
    [
      [1, 'freeze', ['worker1']],
      [3, 'cut', ['gateway1']],
      [4, 'kill', [leader]],
    ],
  );
  assert.ok([...fleet.services, ...fleet.servers].every(({ process }) => process.state === 'up'));
  await fleet.settle();
  await client.run({ type: 'echo' });
});

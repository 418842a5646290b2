// Goal: what the gateway asks of the leading master comes back as it is, or there is no leader: whatever `/master` says, and
// whatever answers there. Method: the client on a real ZooKeeper session; the masters are small HTTP servers of the test, at the
// end a real one.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Session } from '../../coordination/session.ts';
import { runSessions } from '../../coordination/session-loop.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { Operation } from '../../coordination/zookeeper-requests.ts';
import type { TaskExplanation } from '../../domain/explanation.ts';
import { type EventLine, indexPaths, type TaskFilter } from '../../domain/master-index.ts';
import type { TaskId } from '../../domain/task.ts';
import { serverLimits } from '../../gateway/server-limits.ts';
import { MasterIndexClient, type MasterIndexClientOptions } from '../../gateway/store/master-index-client.ts';
import { sessionOptions } from '../fault/session-harness.ts';
import { onCleanup, type TestScope, wholeFile } from '../support/cleanup.ts';
import { collectGarbage } from '../support/collect-garbage.ts';
import { eventually } from '../support/eventually.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { openSession, type TestSession } from '../support/stack-session.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const quick = { deadlineMs: 500, silenceMs: 500 };
const noLeader = { reason: 'no-leader', retryAfterMs: 1000 };
const everything: TaskFilter = { state: null, type: null, queue: null, worker: null, schedule: null, labels: [] };
const stats = {
  ...{ leader: '127.0.0.1:1', workers: 2, slots: { total: 4, free: 1 }, oldestQueuedMs: null },
  tasks: { scheduled: 0, queued: 1, running: 3, succeeded: 5, failed: 0, cancelled: 0 },
};

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

interface FakeMaster {
  readonly address: string;
  /** Of every request. */
  readonly urls: string[];
  answer: Answer;
  close(): void;
}

/** Plays a master's admin endpoint. */
async function fakeMaster(scope: TestScope, answer: Answer): Promise<FakeMaster> {
  const urls: string[] = [];
  const server = createServer((request, response) => {
    urls.push(request.url ?? '');
    master.answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  onCleanup(scope, close);
  const master = { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, urls, answer, close };
  return master;
}

function json(body: unknown, status = 200): Answer {
  return (_request, response) => void response.writeHead(status).end(JSON.stringify(body));
}

interface Parts {
  readonly client: MasterIndexClient;
  readonly proxy: FaultProxy;
  readonly person: TestSession;
  readonly sessions: Session[];
}

async function clientOf(
  t: TestContext,
  options: MasterIndexClientOptions = quick,
  sessionTimeoutMs = 10_000,
): Promise<Parts> {
  const chroot = `/${t.name.replaceAll(/[^a-z]+/g, '-').slice(0, 40)}`;
  const proxy = await startFaultProxy(t, zookeeper);
  const person = await openSession(t, `${zookeeper.connect}${chroot}`);
  const client = new MasterIndexClient(options);
  const stop = new AbortController();
  const sessions: Session[] = [];
  const ended = runSessions({ ...sessionOptions(proxy), chroot, sessionTimeoutMs }, stop.signal, (session) => {
    sessions.push(session);
    return client.serve(session, stop.signal);
  });
  onCleanup(t, async () => {
    stop.abort();
    await ended;
  });
  return { client, proxy, person, sessions };
}

/** As a master of ours takes over. */
async function lead(person: TestSession, address: string): Promise<void> {
  const data = Buffer.from(address);
  await person.commit([
    ...((await person.exists(paths.master)) ? [{ kind: 'remove', path: paths.master, version: null } as const] : []),
    { kind: 'create', path: paths.master, data, mode: 'ephemeral' },
    { kind: 'set', path: paths.master, data, version: 0 },
  ]);
}

async function untilAnswered(client: MasterIndexClient): Promise<void> {
  await eventually('the leader is known', () => client.stats());
}

/** Resolves once `client` says that it knows no leader, in these words. */
async function untilNoLeader(client: MasterIndexClient, words: RegExp): Promise<void> {
  await eventually(`${words}`, async () => {
    const error = await client.stats().then(
      () => null,
      (failure: Error) => failure,
    );
    return error !== null && words.test(error.message);
  });
}

test('each question with its query, and the answer as it is, without members that we do not know', async (t) => {
  const { client, person } = await clientOf(t);
  const master = await fakeMaster(t, json(stats));
  await lead(person, master.address);
  await untilAnswered(client);
  master.answer = json({ ...stats, since: 'a newer master' });
  assert.deepEqual(await client.stats(), stats);
  const worker = { id: 'w', address: 'a:1', concurrency: 4, types: null, queues: ['q'], running: 1, draining: false };
  master.answer = json([worker, { ...worker, types: ['echo'] }]);
  assert.deepEqual(await client.workers(), [worker, { ...worker, types: ['echo'] }]);
  const { queues: _, ...older } = worker;
  master.answer = json([older]);
  assert.deepEqual(
    await client.workers(),
    [{ ...worker, queues: null }],
    'a master that knows no queues of workers yet',
  );
  const queue = { name: 'q', paused: true, concurrency: 5, ratePerSecond: 0.5, burst: null, maxQueued: null };
  master.answer = json([{ ...queue, scheduled: 0, queued: 1, running: 2 }]);
  assert.deepEqual(await client.queues(), [{ ...queue, scheduled: 0, queued: 1, running: 2 }]);
  const page = { tasks: [{ id: 'task-0000000007', position: '1f-7' }], next: '1f-7' };
  master.answer = json(page);
  master.urls.length = 0;
  const explained: TaskExplanation = {
    ...{ id: 'task-0000000007' as TaskId, state: null, type: null, queue: 'q', reason: 'queue_rate', message: 'Wait.' },
    ...{
      since: 5,
      until: 6.5,
      worker: null,
      tasks: ['task-0000000001' as TaskId],
      workers: 1,
      limit: 0.5,
      position: 2,
    },
    also: [{ reason: 'no_workers', message: 'Start one.' }],
  };
  master.answer = json({ ...explained, reason: 'phase_of_the_moon', moon: 'new' });
  assert.deepEqual(await client.explain(explained.id), { ...explained, reason: 'phase_of_the_moon' });
  assert.deepEqual(master.urls.splice(0), [`${indexPaths.explain}?task=task-0000000007`]);
  master.answer = json(page);
  const filter: TaskFilter = {
    state: 'failed',
    type: 't',
    queue: 'q',
    worker: 'w & x',
    schedule: 's.1',
    labels: [
      ['a/b', 'c:d'],
      ['e', 'ü&='],
    ],
  };
  assert.deepEqual(await client.tasks(filter, 7, { czxid: 255n, number: 3 }), page);
  await client.tasks(everything, 50, null);
  const [asked, plain] = master.urls.map((url) => new URL(url, 'http://x'));
  assert.equal(asked?.pathname, indexPaths.tasks);
  assert.deepEqual(Object.fromEntries([...(asked?.searchParams ?? [])].filter(([name]) => name !== 'label')), {
    ...{ limit: '7', after: 'ff-3', state: 'failed', type: 't', queue: 'q', worker: 'w & x', schedule: 's.1' },
  });
  assert.deepEqual(asked?.searchParams.getAll('label'), ['a/b:c:d', 'e:ü&=']);
  assert.equal(plain?.search, '?limit=50');
});

test('nobody leads; a master by hand, or one that is not ephemeral; what is no address: no leader', async (t) => {
  const { client, person, sessions } = await clientOf(t);
  const master = await fakeMaster(t, json(stats));
  await untilNoLeader(client, /no master leads/);
  const first = client.leader();
  assert.ok(first.kind === 'nobody' && Math.abs(first.since - Date.now()) < 5000);
  await assert.rejects(client.tasks(everything, 1, null), noLeader);
  await assert.rejects(allOf(client.events(null, new AbortController().signal)), noLeader);
  const remove: Operation = { kind: 'remove', path: paths.master, version: null };
  const create = (mode: 'ephemeral' | 'persistent', address = master.address): Operation => {
    return { kind: 'create', path: paths.master, data: Buffer.from(address), mode };
  };
  const set = (address = master.address): Operation => {
    return { kind: 'set', path: paths.master, data: Buffer.from(address), version: null };
  };
  const others: Operation[][] = [
    [remove],
    [remove, create('ephemeral')],
    [remove, create('persistent'), set()],
    [remove, create('ephemeral'), set(`${master.address}/elsewhere?`)],
    [set(`127.0.0.1:1 ${master.address}`)],
    [set()],
  ];
  for (const operations of others) {
    await lead(person, master.address);
    await untilAnswered(client);
    assert.deepEqual(client.leader(), { kind: 'ours', address: master.address, silentSince: null });
    await person.commit(operations);
    // By then the client has been told of all that, and has read it.
    await sessions[0]?.sync(paths.master);
    await sessions[0]?.getData(paths.master);
    await assert.rejects(client.stats(), { ...noLeader, message: /no master leads/ });
    const left = await person.exists(paths.master);
    // What was made anew is read a moment later than it is known that it is not what it was.
    const known = await eventually('it is known who leads', () => {
      const leader = client.leader();
      return leader.kind === (left ? 'stranger' : 'nobody') && leader;
    });
    if (left) assert.deepEqual(known, { kind: 'stranger', since: left.ctime });
    else assert.ok(known.kind === 'nobody' && known.since > first.since);
    assert.deepEqual(client.leader(), known, 'the time stays what it is');
  }
});

async function allOf<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  return all;
}

const useless: Record<string, Answer> = {
  'not leading': json({ status: 'not leading' }, 503),
  'a redirect': (_request, response) => void response.writeHead(302, { location: '/index/v1/queues' }).end(),
  'no JSON': (_request, response) => void response.end('<html>'),
  'other JSON': json({ tasks: 3 }),
  'JSON that fits in part': json({ ...stats, tasks: { ...stats.tasks, queued: -1 } }),
  'a broken answer': (_request, response) => {
    response.writeHead(200, { 'content-length': 1000 }).write('{"leader"', () => response.destroy());
  },
  'no answer': () => undefined,
  'half an answer': (_request, response) => void response.writeHead(200).write('{"leader":'),
  'an endless answer': (_request, response) => {
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed && response.write(' '.repeat(65_536)));
    };
    response.on('drain', more);
    more();
  },
};

for (const [what, answer] of Object.entries(useless)) {
  test(`a master that gives ${what} is no leader, and is asked again next time`, async (t) => {
    const { client, person } = await clientOf(t, {
      deadlineMs: what.startsWith('an endless') ? 10_000 : 500,
      silenceMs: 500,
    });
    const master = await fakeMaster(t, json(stats));
    await lead(person, master.address);
    await untilAnswered(client);
    master.answer = answer;
    const askedAt = performance.now();
    const message =
      what === 'other JSON' || what === 'JSON that fits in part'
        ? /may be of another version/
        : /submits and single tasks work/;
    await assert.rejects(client.stats(), { ...noLeader, message });
    assert.ok(performance.now() - askedAt < 3000);
    const silent = client.leader();
    assert.ok(silent.kind === 'ours' && Math.abs((silent.silentSince ?? 0) - Date.now()) < 3000);
    await assert.rejects(client.stats(), noLeader);
    assert.deepEqual(client.leader(), silent, 'the time stays what it is');
    master.answer = json(stats);
    assert.deepEqual(await client.stats(), stats);
    assert.deepEqual(client.leader(), { ...silent, silentSince: null });
  });
}

test('nobody listens there any more: no leader at once; where another leads by now, it is asked in the same breath', async (t) => {
  const { client, person } = await clientOf(t);
  const [first, second] = [await fakeMaster(t, json(stats)), await fakeMaster(t, json({ ...stats, workers: 7 }))];
  await lead(person, first.address);
  await untilAnswered(client);
  first.answer = (_request, response) => {
    void lead(person, second.address)
      .then(() => eventually('it is known', () => first.urls.at(-1) === 'seen'))
      .finally(() => response.destroy());
  };
  const asked = client.stats();
  await eventually(
    'another leads',
    async () => (await person.getData(paths.master))?.data.toString() === second.address,
  );
  // By another question, which goes to whoever is known.
  await eventually('the client knows', async () => (await client.stats()).workers === 7);
  first.urls.push('seen');
  assert.equal((await asked).workers, 7);
  second.close();
  await assert.rejects(client.stats(), noLeader);
});

test('many ask a master that answers nobody: few connections, and all are told in time', async (t) => {
  const patient = { deadlineMs: 2000, silenceMs: 500 };
  const { client, person } = await clientOf(t, patient);
  const master = await fakeMaster(t, json(stats));
  await lead(person, master.address);
  await untilAnswered(client);
  master.answer = () => undefined;
  master.urls.length = 0;
  const askedAt = performance.now();
  await Promise.all(Array.from({ length: 500 }, () => assert.rejects(client.stats(), noLeader)));
  assert.ok(performance.now() - askedAt < 8000);
  assert.ok(master.urls.length <= 2 * serverLimits.indexRequestsAtOnce, `${master.urls.length} requests`);
  master.answer = json(stats);
  const answered = await Promise.all(Array.from({ length: 500 }, () => client.stats()));
  assert.equal(answered.length, 500);
});

test('since when nobody leads outlives the session, until somebody is found to', async (t) => {
  const { client, person, proxy, sessions } = await clientOf(t, quick, 1000);
  assert.deepEqual(new MasterIndexClient().leader(), { kind: 'unknown' });
  const known = await eventually('it is known that nobody leads', () => {
    const leader = client.leader();
    return leader.kind === 'nobody' && leader;
  });
  proxy.silence();
  await eventually('the session is lost', () => sessions[0]?.state === 'lost' && client.leader().kind === 'unknown');
  await proxy.heal();
  await eventually('the next one knows', () => client.leader().kind === 'nobody');
  assert.deepEqual(client.leader(), known);
  const master = await fakeMaster(t, json(stats));
  await lead(person, master.address);
  await untilAnswered(client);
  await person.remove(paths.master);
  await eventually('it is gone', () => client.leader().kind === 'nobody');
  const later = client.leader();
  assert.ok(later.kind === 'nobody' && later.since > known.since);
});

test('without a session there is no leader, and it says so; with the next one there is', async (t) => {
  const { client, person, proxy, sessions } = await clientOf(t, quick, 1000);
  const master = await fakeMaster(t, json(stats));
  await assert.rejects(new MasterIndexClient().stats(), { ...noLeader, message: /no ZooKeeper session/ });
  await lead(person, master.address);
  await untilAnswered(client);
  master.answer = (_request, response) => void response.writeHead(200).write('{"kind":"start","resumed":false}\n');
  const events = allOf(client.events(null, new AbortController().signal));
  proxy.silence();
  await assert.rejects(events, noLeader);
  await eventually('the session is lost', () => sessions[0]?.state === 'lost');
  await assert.rejects(client.stats(), { ...noLeader, message: /no ZooKeeper session/ });
  master.answer = json(stats);
  await proxy.heal();
  await untilAnswered(client);
});

const event = {
  id: 'task-0000000001',
  type: 'echo',
  queue: 'default',
  state: 'running',
  attempt: 1,
  worker: 'w',
  at: 5,
};
const lines: EventLine[] = [
  { kind: 'start', resumed: true },
  { kind: 'event', eventId: 'e-1', event: { ...event, type: 'ü' } as never },
  { kind: 'alive' },
  { kind: 'event', eventId: 'e-2', event: { ...event, type: null, worker: null } as never },
];

/** A stream that a test writes to; `gone` counts readers that went. */
async function streaming(t: TestContext, options = quick) {
  const parts = await clientOf(t, options);
  const open: ServerResponse[] = [];
  const seen = { gone: 0 };
  const master = await fakeMaster(t, json(stats));
  await lead(parts.person, master.address);
  await untilAnswered(parts.client);
  master.answer = (_request, response) => {
    response.writeHead(200).flushHeaders();
    response.on('close', () => {
      seen.gone += 1;
    });
    open.push(response);
  };
  const stop = new AbortController();
  const received: EventLine[] = [];
  const follow = async (after: string | null = null) => {
    for await (const line of parts.client.events(after, stop.signal)) received.push(line);
  };
  const opened = (count = 1) => eventually('the stream is open', () => open.length === count && open.at(-1));
  return { ...parts, master, stop, received, follow, opened, seen };
}

test('events come line by line, however they are cut into packets, and end quietly with the signal', async (t) => {
  const { follow, received, opened, stop, seen, master } = await streaming(t);
  const followed = follow('e-0 &');
  const response = await opened();
  const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  for (let from = 0; from < bytes.length; from += 7) {
    response.write(bytes.subarray(from, from + 7));
    await new Promise((resolve) => setImmediate(resolve));
  }
  await eventually('all are there', () => received.length === lines.length);
  assert.deepEqual(received, lines);
  assert.equal(new URL(master.urls.at(-1) ?? '', 'http://x').searchParams.get('after'), 'e-0 &');
  stop.abort();
  await followed;
  await eventually('the request has ended', () => seen.gone === 1);
  await follow(); // with a signal that has aborted
});

test('a reader that leaves ends the request; signs of life keep it, silence does not', async (t) => {
  const { client, follow, received, opened, seen } = await streaming(t);
  const reading = (async () => {
    for await (const line of client.events(null, new AbortController().signal)) return line;
    return null;
  })();
  (await opened()).write(`${JSON.stringify(lines[0])}\n`);
  assert.deepEqual(await reading, lines[0]);
  await eventually('the request has ended', () => seen.gone === 1);

  const startedAt = performance.now();
  const followed = assert.rejects(follow(), noLeader);
  const response = await opened(2);
  response.write(`${JSON.stringify(lines[0])}\n`);
  const alive = setInterval(() => response.write('{"kind":"alive"}\n'), 100);
  await eventually('it lives longer than silence may last', () => received.length > 10);
  clearInterval(alive);
  assert.ok(performance.now() - startedAt > quick.silenceMs);
  await followed;
  await eventually('the request has ended', () => seen.gone === 2);
});

test('a signal ends a stream whose request is garbage by then', async (t) => {
  const { client, opened, seen } = await streaming(t);
  const stop = new AbortController();
  const stream = client.events(null, stop.signal);
  const first = stream.next();
  (await opened()).write(`${JSON.stringify(lines[0])}\n`);
  assert.deepEqual((await first).value, lines[0]);
  const next = stream.next();
  await collectGarbage();
  stop.abort();
  assert.ok((await next).done);
  await eventually('the request has ended', () => seen.gone === 1);
});

const badStreams: Record<string, string> = {
  'nothing at all': '',
  'no start': '{"kind":"alive"}\n',
  'two starts': '{"kind":"start","resumed":true}\n{"kind":"start","resumed":true}\n',
  'no JSON': '{"kind":"start","resumed":true}\nhello\n',
  'an unknown state': `{"kind":"start","resumed":true}\n${JSON.stringify({ ...lines[1], event: { ...event, state: 'odd' } })}\n`,
  'an endless line': `{"kind":"start","resumed":true}\n${'x'.repeat(100_000)}`,
};

test('a stream that makes no sense, or ends, ends as no leader', async (t) => {
  const { follow, opened, seen } = await streaming(t);
  let count = 0;
  const failing = async (end: (response: ServerResponse) => unknown) => {
    const followed = assert.rejects(follow(), noLeader);
    count += 1;
    await end(await opened(count));
    await followed;
    await eventually('the request has ended', () => seen.gone === count);
  };
  for (const text of Object.values(badStreams)) await failing((response) => response.write(text));
  await failing((response) => response.end(`${JSON.stringify(lines[0])}\n`));
  await failing((response) => response.destroy());
});

test('a stream ends as soon as its master leads no more', async (t) => {
  const { follow, opened, received, seen, person } = await streaming(t, { deadlineMs: 500, silenceMs: 60_000 });
  const followed = assert.rejects(follow(), noLeader);
  (await opened()).write(`${JSON.stringify(lines[0])}\n`);
  await eventually('it has begun', () => received.length === 1);
  await person.remove(paths.master);
  await followed;
  await eventually('the request has ended', () => seen.gone === 1);
});

test('a real master answers, in the words that the client understands', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  const client = new MasterIndexClient();
  const stop = new AbortController();
  const ended = runSessions(
    { ...sessionOptions(zookeeper), chroot: stack.chroot, sessionTimeoutMs: 10_000 },
    stop.signal,
    (session) => client.serve(session, stop.signal),
  );
  onCleanup(t, async () => {
    stop.abort();
    await ended;
  });
  await untilAnswered(client);
  const received: EventLine[] = [];
  const following = (async () => {
    for await (const line of client.events(null, stop.signal)) received.push(line);
  })();
  await eventually('the stream has begun', () => received.length > 0);
  const { id } = await stack.client.run({ type: 'echo', payload: 1, labels: { 'a/b': 'c:d' } });
  await eventually('its end is told', () =>
    received.some((line) => line.kind === 'event' && line.event.state === 'succeeded'),
  );
  const { tasks, next } = await client.tasks({ ...everything, labels: [['a/b', 'c:d']], state: 'succeeded' }, 5, null);
  assert.deepEqual([tasks.map((task) => task.id), next], [[id], null]);
  assert.equal((await client.workers()).length, 1);
  assert.equal((await client.stats()).tasks.succeeded, 1);
  assert.deepEqual(await client.queues(), []);
  stop.abort();
  await following;
});

// Goal: HTTP and gRPC are two faces of one thing: what is done through one is answered and refused as through the other, as
// the contract says. Method: a table of cases, each done through both on a real stack; the answers, with ids, times and
// the name of the face taken out, are compared with each other and with what is expected.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { paths } from '../../coordination/znode-paths.ts';
import { limits } from '../../domain/limits.ts';
import { taskIdOf } from '../../domain/task-id.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, answerOf, type Face, type Outcome } from '../support/faces.ts';
import { grpcFace } from '../support/grpc-face.ts';
import { httpFace } from '../support/http-face.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { writeHandlers } from '../support/stack-handlers.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, {
  gateways: 2,
  sessionTimeoutMs: calmSessionMs,
  worker: { WORKER_CONCURRENCY: 4, HANDLERS_DIR: writeHandlers(wholeFile, ['flaky']) },
});
// Through different gateways, so that nothing is shared but the ensemble.
const [first, second] = stack.gateways;
assert.ok(first && second);
const faces = [httpFace(first.client.url), grpcFace(wholeFile, second.grpcAddress)];

/** Does the case through both faces; `expected` is what each must say, where it is given. */
function both(name: string, work: (face: Face, tag: string) => Promise<unknown>, expected?: unknown): void {
  test(name, async () => {
    const told: unknown[] = [];
    for (const face of faces) told.push(anonymous(await work(face, `by-${face.name.toLowerCase()}`)));
    assert.deepEqual(told[1], told[0], 'gRPC says what HTTP says');
    if (expected !== undefined) assert.deepEqual(told[0], expected);
  });
}

/** Ids by the order in which they appear, times as such, and neither face nor gateway. */
function anonymous(value: unknown): unknown {
  const ids = new Map<string, string>();
  const text = JSON.stringify(value, (_, item) => (item === undefined ? null : item))
    .replaceAll(/by-(http|grpc)/g, 'by-face')
    .replaceAll(/task-\d{10}/g, (id) => {
      ids.set(id, ids.get(id) ?? `task ${ids.size + 1}`);
      return ids.get(id) ?? id;
    })
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, 'time');

  return JSON.parse(text);
}

function refusal(reason: string, places: string[] = [], retry = false): Outcome {
  return { kind: 'refusal', reason, places, retry };
}

/** Without the places: gRPC has fields for what HTTP has headers, parameters and names in paths for. */
function reasonOf(outcome: Outcome): string {
  return outcome.kind === 'refusal' ? outcome.reason : 'answer';
}

/** Waits for a worker that never comes. */
const idle = { type: 'nobody-runs-this' };

async function submitted(face: Face, spec: object): Promise<Answer> {
  return answerOf(await face.submit(spec)).task;
}

async function done(face: Face, spec: object): Promise<Answer> {
  return answerOf(await face.submit(spec, { waitMs: 20_000 })).task;
}

both('a task has its defaults', (face) => face.submit(idle), {
  kind: 'answer',
  answer: {
    task: {
      ...{ id: 'task 1', type: 'nobody-runs-this', queue: 'default', state: 'queued', payload: null, priority: 0 },
      ...{ labels: {}, attempt: 0, maxAttempts: 3, worker: null, progress: null, submittedAt: 'time', runAt: null },
      ...{ startedAt: null, finishedAt: null, result: null, error: null, attempts: [], retryOf: null },
      ...{ deadlineAt: null, exclusiveKey: null, after: [], afterFailure: 'fail', schedule: null },
      nextAttemptAt: null,
    },
    created: true,
  },
});

both('every field comes back', async (face, tag) => {
  const payload = { text: 'ü', list: [1, 2.5, -0.1, true, null, {}, []], __proto__: null, deep: { deeper: ['x'] } };
  const labels = { a: '1', 'b/c.d_e-f': '', [tag]: 'ä'.repeat(256) };
  const { id } = await submitted(face, idle);
  const order = { deadlineMs: 7_200_000, exclusiveKey: `key ${tag}`, after: [id], afterFailure: 'wait' };
  const rest = { priority: -100, delayMs: 3_600_000, timeoutMs: 1, maxAttempts: 100, retentionMs: 0, ...order };
  const backoff = { type: 'fixed', delayMs: 0, maxDelayMs: 5, jitter: false };
  const task = await submitted(face, { ...idle, queue: `q.${tag}`, payload, labels, backoff, ...rest });
  const startsAfter = Date.parse(task.runAt) - Date.parse(task.submittedAt);
  assert.ok(Math.abs(startsAfter - 3_600_000) < 1000);
  assert.equal(task.nextAttemptAt, null, 'it waits for another task');
  assert.equal(Date.parse(task.deadlineAt) - Date.parse(task.submittedAt), 7_200_000);
  return [task, await face.get(task.id)];
});

both('a time in the past is now, one to come is kept', async (face) => {
  const past = await submitted(face, { ...idle, runAt: '2020-01-01T00:00:00Z' });
  const future = await submitted(face, { ...idle, runAt: '2099-01-01T00:00:00.250Z' });
  assert.deepEqual([past.nextAttemptAt, future.nextAttemptAt], [null, '2099-01-01T00:00:00.250Z']);
  return [past, future];
});

both('a task that backs off says when its next attempt may start, and has no worker until then', async (face) => {
  const backoff = { type: 'fixed', delayMs: 3_600_000, jitter: false };
  const { id } = await submitted(face, { type: 'flaky', payload: { succeedsAt: 2 }, backoff });
  const task = await eventually('its first attempt has failed', async () => {
    const now = answerOf(await face.get(id));
    return now.attempts.length > 0 && now;
  });
  const pauseMs = Date.parse(task.nextAttemptAt) - Date.parse(task.attempts[0].finishedAt);
  assert.deepEqual([task.state, pauseMs, task.worker, task.startedAt], ['scheduled', 3_600_000, null, null]);
  answerOf(await face.cancel(id));
  return Object.keys(task).sort();
});

const day = 86_400_000;
const bounds: [field: string, fits: unknown[], faulty: unknown[]][] = [
  ['type', ['x', 'A-Z.a_z-09', 'x'.repeat(64)], ['', 'x'.repeat(65), 'a b', 'a/b', 'ü']],
  ['queue', ['x', '..', 'x'.repeat(64)], ['', 'x'.repeat(65), 'a b', 'a/b', '\u0000']],
  ['priority', [-100, 100], [-101, 101]],
  ['timeoutMs', [1, 7 * day], [0, 7 * day + 1, -1]],
  ['maxAttempts', [1, 100], [0, 101]],
  ['retentionMs', [0, 30 * day], [-1, 30 * day + 1]],
  ['delayMs', [0, 365 * day], [-1, 365 * day + 1]],
  ['deadlineMs', [1, 365 * day], [0, 365 * day + 1]],
  ['exclusiveKey', [' ', '~'.repeat(255)], ['', '~'.repeat(256), 'ü', '\t']],
];
for (const [field, fits, faulty] of bounds) {
  both(
    `${field} has its bounds`,
    async (face) => {
      for (const value of fits) answerOf(await face.submit({ ...idle, [field]: value }));
      return Promise.all(faulty.map((value) => face.submit({ ...idle, [field]: value })));
    },
    faulty.map(() => refusal('invalid-request', [`/${field}`])),
  );
}

both(
  'labels have their bounds',
  async (face) => {
    const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']));
    answerOf(await face.submit({ ...idle, labels: labels(16) }));
    answerOf(await face.submit({ ...idle, labels: { ['k'.repeat(64)]: 'v'.repeat(256) } }));
    return Promise.all([
      face.submit({ ...idle, labels: labels(17) }),
      face.submit({ ...idle, labels: { 'a b': 'v' } }),
      face.submit({ ...idle, labels: { ['k'.repeat(65)]: 'v' } }),
      face.submit({ ...idle, labels: { k: 'v'.repeat(257) } }),
    ]);
  },
  [['/labels'], ['/labels/a b'], [`/labels/${'k'.repeat(65)}`], ['/labels/k']].map((places) =>
    refusal('invalid-request', places),
  ),
);

both(
  'a task whose time comes at its deadline, or later, could never run',
  async (face) => [
    await face.submit({ ...idle, delayMs: 60_000, deadlineMs: 60_000 }),
    await face.submit({ ...idle, runAt: '2099-01-01T00:00:00Z', deadlineMs: day }),
    await face.submitMany([idle, { ...idle, delayMs: 2, deadlineMs: 1 }]),
  ],
  [
    refusal('invalid-request', ['/deadlineMs']),
    refusal('invalid-request', ['/deadlineMs']),
    refusal('invalid-request', ['/tasks/1/deadlineMs']),
  ],
);

both(
  'a type is needed, a delay and a time are too much, all faults are named at once',
  (face) =>
    Promise.all([
      face.submit({}),
      face.submit({ ...idle, delayMs: 1, runAt: '2099-01-01T00:00:00Z' }),
      face.submit({ ...idle, priority: 1000, backoff: { delayMs: -1 } }),
    ]),
  [['/type'], ['/runAt'], ['/backoff/delayMs', '/priority']].map((places) => refusal('invalid-request', places)),
);

both(
  'a payload has 256 KiB and no more',
  async (face) => {
    const largest = 'x'.repeat(limits.payloadBytesMax - 2);
    assert.equal(answerOf(await face.submit({ ...idle, payload: largest })).task.payload, largest);
    return face.submit({ ...idle, payload: `${largest}x` });
  },
  refusal('payload-too-large', ['/payload']),
);

both('a payload is stored as it came, or refused', (face) =>
  Promise.all([
    face.submit({ ...idle, payload: nested(limits.jsonDepthMax + 1) }),
    face.submit({ ...idle, payload: nested(limits.jsonDepthMax) }).then((o) => o.kind),
  ]),
);

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

both(
  'an idempotency key makes one task',
  async (face, tag) => {
    const spec = { ...idle, payload: { a: 1, b: 2 } };
    const one = answerOf(await face.submit(spec, { key: `single ${tag}` }));
    const two = answerOf(
      await face.submit({ payload: { b: 2, a: 1 }, priority: 0, ...idle }, { key: `single ${tag}` }),
    );
    assert.deepEqual([one.created, two.created, two.task.id], [true, false, one.task.id]);
    return Promise.all([
      face.submit({ ...idle, payload: 2 }, { key: `single ${tag}` }),
      face.submitMany([spec], `single ${tag}`),
      face.submit(idle, { key: 'x'.repeat(256) }).then(reasonOf),
      face.submit(idle, { key: `${tag} ${'x'.repeat(246)}` }).then(reasonOf),
    ]);
  },
  [...[refusal('idempotency-key-reused'), refusal('idempotency-key-reused')], ...['invalid-request', 'answer']],
);

both(
  'many at once with one key make one task',
  async (face, tag) => {
    const all = await Promise.all(Array.from({ length: 20 }, () => face.submit(idle, { key: `many ${tag}` })));
    const answers = all.map(answerOf);
    return [new Set(answers.map(({ task }) => task.id)).size, answers.filter(({ created }) => created).length];
  },
  [1, 1],
);

test('a key is shared by the faces, for single tasks and for batches', async () => {
  const [http, grpc] = faces as [Face, Face];
  for (const [one, other] of [
    [http, grpc],
    [grpc, http],
  ] as const) {
    const single = answerOf(await one.submit({ ...idle, payload: [one.name] }, { key: `shared ${one.name}` }));
    const again = answerOf(await other.submit({ ...idle, payload: [one.name] }, { key: `shared ${one.name}` }));
    assert.deepEqual([again.created, again.task.id], [false, single.task.id]);
    const specs = [{ ...idle, payload: one.name }, idle];
    const batch = answerOf(await one.submitMany(specs, `shared batch ${one.name}`));
    const repeated = answerOf(await other.submitMany(specs, `shared batch ${one.name}`));
    assert.deepEqual([repeated.created, repeated.tasks], [false, batch.tasks]);
  }
});

both('a batch is all or nothing, in its order', async (face, tag) => {
  const specs = Array.from({ length: 5 }, (_, i) => ({ ...idle, queue: `batch.${tag}`, payload: i }));
  const { tasks, created } = answerOf(await face.submitMany(specs));
  const { id } = tasks[3];
  const faulty = await face.submitMany([...specs, { ...idle, type: 'no such name', queue: `batch.${tag}` }]);
  const listed = await settled(face, { queue: `batch.${tag}` }, 5);
  return [tasks, created, answerOf(await face.get(id)).payload, faulty, listed.length];
});

both(
  'a batch has its bounds',
  async (face) => {
    const large = { ...idle, payload: 'x'.repeat(230 * 1024) };
    const most = answerOf(await face.submitMany(Array.from({ length: limits.batchTasksMax }, () => idle)));
    assert.equal(most.tasks.length, limits.batchTasksMax);
    return [
      await face.submitMany([]),
      await face.submitMany(Array.from({ length: limits.batchTasksMax + 1 }, () => idle)),
      await face.submitMany([large, large, large, large]),
    ];
  },
  [refusal('invalid-request', ['/tasks']), refusal('invalid-request', ['/tasks']), refusal('batch-too-large')],
);

both('a batch names its own by places, others by ids, and is answered by ids', async (face) => {
  const outside = await submitted(face, idle);
  const specs = [idle, { ...idle, after: [0] }, { ...idle, after: [outside.id, 1, 0], afterFailure: 'run' }];
  const { tasks } = answerOf(await face.submitMany(specs));
  assert.deepEqual(
    tasks.map(({ after }: Answer) => after),
    [[], [tasks[0].id], [outside.id, tasks[1].id, tasks[0].id]],
  );
  assert.deepEqual(answerOf(await face.get(tasks[2].id)), tasks[2]);
  return tasks;
});

const missing = 'task-2146999999';
const ids = (count: number, first = 0) => Array.from({ length: count }, (_, place) => taskIdOf(first + place));
both(
  'what a task cannot come after is refused, with its place',
  async (face) => {
    const { id } = await submitted(face, idle);
    return Promise.all([
      face.submit({ ...idle, after: [missing] }),
      face.submit({ ...idle, after: [id, missing] }),
      face.submit({ ...idle, after: [id, id] }),
      face.submit({ ...idle, after: ids(101) }),
      face.submitMany([idle, { ...idle, after: [missing] }]),
      face.submitMany([idle, { ...idle, after: [id, missing, 0] }]),
      face.submitMany([{ ...idle, after: [0] }]),
      face.submitMany([idle, { ...idle, after: [id, 0, 2] }]),
      face.submitMany([idle, { ...idle, after: [0, 0] }]),
      face.submitMany([idle, { ...idle, after: [-1] }]),
      face.submitMany(Array.from({ length: 11 }, (_, group) => ({ ...idle, after: ids(100, group * 100) }))),
    ]);
  },
  [
    refusal('dependency-not-found', ['/after/0']),
    refusal('dependency-not-found', ['/after/1']),
    refusal('invalid-request', ['/after/1']),
    refusal('invalid-request', ['/after']),
    refusal('dependency-not-found', ['/tasks/1/after/0']),
    refusal('dependency-not-found', ['/tasks/1/after/1']),
    ...['/tasks/0/after/0', '/tasks/1/after/2', '/tasks/1/after/1', '/tasks/1/after/0', '/tasks'].map((place) =>
      refusal('invalid-request', [place]),
    ),
  ],
);

both('a wait ends with the task, or with its time', async (face) => {
  const finished = await done(face, { type: 'echo', payload: 42 });
  const waiting = await submitted(face, idle);
  const slow = await submitted(face, { type: 'sleep', payload: { ms: 150 } });
  return [
    finished,
    await face.get(finished.id, 60_000),
    await face.get(waiting.id, 30),
    await face.get(slow.id, 20_000),
    await face.submit(idle, { waitMs: 20 }),
  ];
});

both(
  'what is no task is not found',
  (face) =>
    Promise.all(
      [
        'task-2147483640',
        'task-',
        'nonsense',
        'a/b',
        '../tasks',
        'task-1\u0000',
        '__proto__',
        'x'.repeat(5000),
      ].flatMap((id) => [face.get(id), face.cancel(id), face.retry(id), face.remove(id), face.watchTask(id)]),
    ).then((outcomes) =>
      [...new Set(outcomes.map((outcome) => JSON.stringify(outcome)))].map((text) => JSON.parse(text)),
    ),
  [refusal('task-not-found')],
);

/** The list once it has so many tasks: it may be a second late. */
function settled(face: Face, query: Parameters<Face['list']>[0], count: number): Promise<Answer[]> {
  return eventually(`${count} tasks are listed`, async () => {
    const { tasks } = answerOf(await face.list(query));
    return tasks.length === count && tasks;
  });
}

both('lists have filters, pages and an end', async (face, tag) => {
  const queue = `list.${tag}`;
  const made = [];
  for (let i = 0; i < 7; i += 1) {
    made.push(
      (await submitted(face, { ...idle, queue, payload: i, labels: { parity: i % 2 ? 'odd' : 'even', i: `${i}` } })).id,
    );
  }
  const ended = await done(face, { type: 'echo', queue, labels: { parity: 'odd' } });
  await face.submit({ type: 'echo', queue, delayMs: 3_600_000 });
  const whole = await settled(face, { queue }, 9);
  const pages: Answer[] = [];
  let cursor: string | undefined;
  do {
    const page = answerOf(await face.list({ queue, limit: 4, ...(cursor && { cursor }) }));
    pages.push(page.tasks);
    cursor = page.nextCursor;
  } while (cursor);
  assert.deepEqual(pages.flat(), whole);
  assert.deepEqual(
    pages.map(({ length }) => length),
    [4, 4, 1],
  );
  assert.deepEqual(
    whole.slice(2).map(({ id }) => id),
    made.reverse(),
  );
  const payloads = async (query: object) =>
    answerOf(await face.list({ queue, ...query })).tasks.map((task: Answer) => task.payload);
  return [
    await payloads({ labels: { parity: 'odd' } }),
    await payloads({ labels: { parity: 'odd', i: '3' } }),
    await payloads({ labels: { parity: 'none' } }),
    await payloads({ type: 'echo' }),
    await payloads({ state: 'succeeded' }),
    await payloads({ state: 'scheduled' }),
    await payloads({ state: 'queued', limit: 2 }),
    (await payloads({ worker: ended.worker })).length,
    await payloads({ queue: 'there-is-none' }),
  ];
});

both(
  'a list refuses what it cannot read',
  (face) =>
    Promise.all(
      [{ cursor: 'nonsense' }, { limit: 0 }, { limit: -1 }, { queue: 'no such name' }, { limit: 100_000 }].map(
        (query) => face.list(query).then(reasonOf),
      ),
    ),
  [...Array.from({ length: 4 }, () => 'invalid-request'), 'answer'],
);

both('cancel: waiting, scheduled, running, final', async (face) => {
  const reason = 'no longer needed';
  const waiting = await submitted(face, { type: 'echo', queue: 'default', delayMs: 3_600_000 });
  const queued = await submitted(face, idle);
  const running = await submitted(face, { type: 'sleep', payload: { ms: 60_000 } });
  await stack.client.untilRunning(running.id);
  const ended: Answer[] = [];
  for (const { id } of [waiting, queued, running]) {
    answerOf(await face.cancel(id, reason));
    const { state, error, attempt, finishedAt } = answerOf(await face.get(id, 20_000));
    ended.push({ state, error, attempt, finishedAt });
  }
  return [ended, await face.cancel(queued.id), await face.cancel((await submitted(face, idle)).id, 'x'.repeat(1025))];
});

both(
  'retry: a failed or cancelled task runs again as a new one',
  async (face, tag) => {
    const spec = { type: 'flaky', payload: { succeedsAt: 9 }, maxAttempts: 1, labels: { a: 'b' }, priority: 3 };
    const failed = await done(face, spec);
    const order = { exclusiveKey: `retry ${tag}`, deadlineMs: day, after: [failed.id], afterFailure: 'run' };
    const cancelled = await submitted(face, { ...idle, delayMs: 1000, ...order });
    const session = await stack.session;
    await eventually('it is let go', () => session.exists(paths.unblocked(cancelled.id)));
    await face.cancel(cancelled.id);
    await face.get(cancelled.id, 20_000);
    const again = answerOf(await face.retry(failed.id, `retry ${tag}`));
    const repeated = answerOf(await face.retry(failed.id, `retry ${tag}`));
    assert.deepEqual([again.created, repeated.created, repeated.task.id], [true, false, again.task.id]);
    const { task } = answerOf(await face.retry(cancelled.id));
    const succeeded = await done(face, { type: 'echo' });
    return [
      ...[task.retryOf === cancelled.id, task.state, task.runAt, task.attempt, again.task.retryOf === failed.id],
      ...[again.task.labels, again.task.priority, again.task.payload],
      ...[task.after, task.afterFailure, task.exclusiveKey === order.exclusiveKey],
      Date.parse(task.deadlineAt) - Date.parse(task.submittedAt),
      await face.retry(succeeded.id),
      await face.retry(task.id),
      await face.retry(cancelled.id, `retry ${tag}`),
    ];
  },
  [
    true,
    'queued',
    null,
    0,
    true,
    { a: 'b' },
    3,
    { succeedsAt: 9 },
    ...[[], 'fail', true],
    day,
    refusal('task-not-retryable'),
    refusal('task-not-final'),
    refusal('idempotency-key-reused'),
  ],
);

both('why a task is not running', async (face, tag) => {
  const queue = `explained.${tag}`;
  answerOf(await face.updateQueue(queue, { ratePerSecond: 0.001, burst: 1 }));
  const specs = [
    { type: 'sleep', payload: { ms: 60_000 }, queue, timeoutMs: 120_000 },
    { type: 'sleep', queue },
    { ...idle, delayMs: 3_600_000 },
    { ...idle, queue: `waits.${tag}` },
  ];
  const tasks: Answer[] = [];
  for (const spec of specs) tasks.push(await submitted(face, spec));
  await stack.client.untilRunning(tasks[0].id);
  tasks.push(await done(face, { type: 'echo' }));
  const told = async (id: string) => {
    const { workers, leader, ...rest } = answerOf(await face.explain(id));
    return { ...rest, workers, leads: leader === answerOf(await face.stats()).leader };
  };
  const explained = await Promise.all(tasks.map(({ id }) => told(id)));
  assert.deepEqual(
    explained.map(({ reason, leads }) => [reason, leads]),
    ['running', 'queue_rate', 'delayed', 'no_worker_for_type', 'succeeded'].map((reason) => [reason, true]),
  );
  answerOf(await face.cancel(tasks[0].id));
  await face.get(tasks[0].id, 20_000);
  return [explained, await face.explain('task-9999999999')];
});

both(
  'delete: final tasks only',
  async (face) => {
    const { id } = await done(face, { type: 'echo' });
    const waiting = await submitted(face, idle);
    return [(await face.remove(id)).kind, await face.get(id), await face.remove(id), await face.remove(waiting.id)];
  },
  ['answer', refusal('task-not-found'), refusal('task-not-found'), refusal('task-not-final')],
);

both('queues are paused, limited and let go', async (face, tag) => {
  const name = `settings.${tag}`;
  const unset = { name, paused: false, concurrency: null, ratePerSecond: null, burst: null, maxQueued: null };
  assert.deepEqual(answerOf(await face.queue(name)), unset);
  const updates = [
    await face.updateQueue(name, { paused: true, concurrency: 5, ratePerSecond: 10, burst: 20, maxQueued: 2 }),
    await face.updateQueue(name, { concurrency: null, ratePerSecond: 0.5 }),
  ];
  assert.deepEqual(await face.queue(name), updates.at(-1));
  const held = await submitted(face, { type: 'echo', queue: name });
  answerOf(await face.submit({ type: 'echo', queue: name }));
  const full = await face.submit({ type: 'echo', queue: name });
  const listed = await eventually('the queue is listed', async () => {
    const { queues } = answerOf(await face.queues());
    return queues.find((queue: Answer) => queue.name === name && queue.queued === 2);
  });
  assert.equal(answerOf(await face.get(held.id)).state, 'queued');
  const lifted = await face.updateQueue(name, { paused: false, ratePerSecond: null, burst: null, maxQueued: null });
  return [updates, full, listed, lifted, answerOf(await face.get(held.id, 20_000)).state];
});

both(
  'a queue refuses what does not fit',
  (face, tag) =>
    Promise.all([
      face.updateQueue(`settings.${tag}`, { concurrency: -1, ratePerSecond: -1, burst: 0, maxQueued: -1 }),
      face.updateQueue('no such name', { paused: true }).then(reasonOf),
      face.updateQueue('a/b', { paused: true }).then(reasonOf),
      face.queue('a/b').then(reasonOf),
    ]),
  [
    refusal('invalid-request', ['/burst', '/concurrency', '/maxQueued', '/ratePerSecond']),
    ...['invalid-request', 'invalid-request', 'invalid-request'],
  ],
);

both(
  'a queue with nonsense in its znode is not taken for one without settings',
  async (face, tag) => {
    const path = `/queues/nonsense.${tag}`;
    await (await stack.session).create(path, 'closed on Sundays');
    const all = { paused: false, concurrency: 2, ratePerSecond: null, burst: null, maxQueued: null };
    const refused = await face.updateQueue(`nonsense.${tag}`, { concurrency: 2 });
    assert.deepEqual(await face.queue(`nonsense.${tag}`), refused);
    const { name: _, ...taken } = answerOf(await face.updateQueue(`nonsense.${tag}`, all));
    assert.deepEqual(taken, all);
    return refused;
  },
  refusal('queue-unreadable'),
);

const yearly = { cron: '0 9 1 JAN *', timeZone: 'Europe/Berlin', task: idle };

both('a schedule is put, changed, looked at and deleted', async (face, tag) => {
  const name = `yearly.${tag}`;
  const first = answerOf(await face.putSchedule(name, yearly));
  assert.deepEqual([first.created, first.schedule.paused, first.schedule.overlap], [true, false, 'skip']);
  const again = answerOf(await face.putSchedule(name, yearly));
  assert.deepEqual(again, { schedule: first.schedule, created: false });
  const payload = { text: 'ü', list: [1, null, {}], deep: { deeper: ['x'] } };
  const backoff = { type: 'fixed', delayMs: 0, maxDelayMs: 5, jitter: false };
  const task = { ...idle, payload, backoff, labels: { a: 'b' }, priority: -3, deadlineMs: 9, exclusiveKey: 'k' };
  const changed = answerOf(await face.putSchedule(name, { ...yearly, task, overlap: 'replace', catchUp: 0 }));
  assert.equal(changed.schedule.since, first.schedule.since);
  assert.deepEqual(answerOf(await face.schedule('get', name)), changed.schedule);
  const { schedules } = answerOf(await face.schedules());
  const listed = schedules.find((schedule: Answer) => schedule.name === name);
  assert.deepEqual(listed, changed.schedule);
  const gone = [await face.schedule('delete', name), await face.schedule('delete', name)];
  return [first, changed, gone, await face.schedule('get', name), await face.schedules(`yearly.${tag}`)];
});

both('a schedule is paused, run by hand once with a key, and resumed', async (face, tag) => {
  const name = `by-hand.${tag}`;
  await face.putSchedule(name, { everyMs: 86_400_000, task: idle });
  const paused = await face.setPaused(name, true);
  const run = answerOf(await face.runSchedule(name, `run.${tag}`));
  assert.deepEqual(run.task.schedule, { name, at: null });
  const again = answerOf(await face.runSchedule(name, `run.${tag}`));
  assert.deepEqual([again.task.id, again.created], [run.task.id, false]);
  const other = answerOf(await face.runSchedule(name));
  await eventually('the index knows both', async () => {
    const { tasks } = answerOf(await face.list({ schedule: name }));
    return tasks.length === 2 && tasks[0].id === other.task.id;
  });
  const resumed = answerOf(await face.setPaused(name, false));
  assert.ok(resumed.since >= answerOf(paused).updatedAt);
  await face.schedule('delete', name);
  const verbs = [face.setPaused(name, true), face.setPaused(name, false), face.runSchedule(name)];
  return [paused, run, resumed, await Promise.all(verbs), await face.runSchedule(name, `run.${tag}`).then(reasonOf)];
});

both(
  'a schedule refuses what does not fit',
  (face, tag) =>
    Promise.all([
      ...[
        { task: idle },
        { ...yearly, everyMs: 1000 },
        { everyMs: 1000, timeZone: 'UTC', task: idle },
        { everyMs: 999, task: idle },
        { ...yearly, catchUp: 101, task: { ...idle, type: 'a b', backoff: { delayMs: -1 } } },
        { ...yearly, cron: '0 0 30 2 *' },
        { ...yearly, timeZone: 'Mars' },
        { cron: '* * * * *' },
        { ...yearly, task: { ...idle, delayMs: 1, after: ['task-0000000000'], afterFailure: 'run' } },
        { ...yearly, task: { ...idle, payload: 'x'.repeat(limits.scheduleBytesMax) } },
      ].map((definition) => face.putSchedule(`bad.${tag}`, definition)),
      face.putSchedule('no such name', yearly).then(reasonOf),
      face.schedule('get', 'a/b').then(reasonOf),
    ]),
  [
    ...[['/cron'], ['/everyMs'], ['/timeZone'], ['/everyMs'], ['/catchUp', '/task/backoff/delayMs', '/task/type']],
    ...[['/cron'], ['/timeZone'], ['/task'], ['/task/after', '/task/afterFailure', '/task/delayMs']],
  ]
    .map((places) => refusal('invalid-request', places))
    .concat([refusal('payload-too-large', ['/task'])], ['invalid-request', 'invalid-request'] as never),
);

both(
  'a schedule with nonsense in its znode is shown as that, and can be put anew',
  async (face, tag) => {
    const name = `nonsense.${tag}`;
    await (await stack.session).create(`/schedules/${name}`, 'every day at noon');
    const { fault, task, nextRunAt } = answerOf(await face.schedule('get', name));
    const refused = [await face.setPaused(name, true), await face.runSchedule(name)];
    const { schedule, created } = answerOf(await face.putSchedule(name, yearly));
    return [fault, task, nextRunAt, refused, schedule.fault, created];
  },
  [
    ...['it is no JSON object', null, null],
    ...[[refusal('schedule-unreadable'), refusal('schedule-unreadable')], null, false],
  ],
);

both('workers and counts are those of the system', async (face) => {
  const stats = answerOf(await face.stats());
  const { tasks, oldestQueuedMs, ...rest } = stats;
  assert.ok(oldestQueuedMs >= 0 && tasks.queued > 0 && tasks.succeeded > 0, JSON.stringify(stats));
  return [await face.workers(), rest, Object.keys(tasks)];
});

both('a stream of a task tells each of its states and ends', async (face) => {
  const backoff = { type: 'fixed', delayMs: 50, jitter: false };
  const { id } = await submitted(face, { type: 'flaky', payload: { succeedsAt: 2 }, backoff, delayMs: 200 });
  const seen: Answer[] = answerOf(await face.watchTask(id));
  const rest: Answer[] = answerOf(await face.watchTask(id, seen[2].eventId));
  assert.deepEqual(rest, seen.slice(3));
  assert.deepEqual(answerOf(await face.watchTask(id, seen.at(-1).eventId)), []);
  const strange: Answer[] = answerOf(await face.watchTask(id, 'nonsense'));
  return [seen.map(({ task }) => task), strange.map(({ reset, task }) => (reset ? 'reset' : task.state))];
});

both('the stream of all tasks tells their changes, and goes on where it was', async (face, tag) => {
  const queue = `events.${tag}`;
  const states = (seen: readonly Answer[]) =>
    seen.filter(({ event }) => event?.queue === queue).map(({ event }) => event);
  const ended = (seen: readonly Answer[]) => states(seen).some(({ state }) => state === 'succeeded');
  const submit = () => void face.submit({ type: 'sleep', payload: { ms: 50 }, queue, delayMs: 100 });
  const seen: Answer[] = answerOf(await face.watchEvents(ended, { onOpen: submit }));
  const lastEventId = seen.find(({ event }) => event?.queue === queue).eventId;
  const rest: Answer[] = answerOf(await face.watchEvents(ended, { lastEventId }));
  assert.deepEqual(states(rest), states(seen).slice(1));
  const strange = answerOf(await face.watchEvents((all) => all.length >= 1, { lastEventId: 'nonsense-1' }));
  return [states(seen), strange];
});

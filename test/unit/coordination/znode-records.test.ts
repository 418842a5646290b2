// Goal: what we store reads back as it was, and what people and other programs store is made sense of, or is said to be
// none, without ever throwing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import * as queueRecord from '../../../coordination/queue-record.ts';
import * as tasks from '../../../coordination/task-record.ts';
import * as records from '../../../coordination/znode-records.ts';
import { limits } from '../../../domain/limits.ts';
import { defaultQueueSettings } from '../../../domain/queue-settings.ts';
import {
  type AssignmentRecord,
  type AttemptRecord,
  afterFailures,
  type Json,
  type StatusRecord,
  type TaskId,
  type TaskRecord,
} from '../../../domain/task.ts';

const createdAt = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
const decodeTask = (text: string) => tasks.decodeTask(Buffer.from(text), createdAt);
const decodeStatus = (text: string) => records.decodeStatus(Buffer.from(text), createdAt);

function record<T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record(model, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/);
const text = fc.string({ maxLength: 30, unit: 'grapheme' });
const time = fc.integer({ min: 0, max: Date.UTC(2200, 0) });
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
// Through JSON once, which knows no -0.
const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as Json);
const error = record({ code: fc.constantFrom('handler_error', 'timeout', 'worker_lost'), message: text });

const taskRecord: fc.Arbitrary<TaskRecord> = record({
  type: name,
  queue: name,
  payload: json,
  priority: fc.integer({ min: limits.priorityMin, max: limits.priorityMax }),
  runAt: orNull(time),
  timeoutMs: fc.integer({ min: limits.timeoutMsMin, max: limits.timeoutMsMax }),
  maxAttempts: fc.integer({ min: 1, max: limits.attemptsMax }),
  backoff: record({
    type: fc.constantFrom('exponential' as const, 'fixed' as const),
    delayMs: fc.integer({ min: 0, max: limits.backoffDelayMsMax }),
    maxDelayMs: orNull(fc.integer({ min: 0, max: limits.backoffDelayMsMax })),
    jitter: fc.boolean(),
  }),
  labels: fc.dictionary(fc.stringMatching(/^[A-Za-z0-9._/-]{1,64}$/), text, { noNullPrototype: true }),
  retentionMs: fc.integer({ min: 0, max: limits.retentionMsMax }),
  submitId: orNull(text),
  submittedAt: time,
  idempotencyKey: orNull(text),
  retryOf: orNull(name),
  batch: orNull(fc.constantFrom({ index: 0, size: 1 }, { index: 7, size: 8 }, { index: 3, size: 1000 })),
  deadlineMs: orNull(fc.integer({ min: limits.deadlineMsMin, max: limits.deadlineMsMax })),
  exclusiveKey: orNull(text),
  after: fc.constantFrom([], ['task-0000000001' as TaskId, 0, 2]),
  afterFailure: fc.constantFrom(...afterFailures),
  schedule: orNull(record({ name, at: orNull(time) })),
}).map((task) => (task.after.length > 0 ? task : { ...task, afterFailure: 'fail' as const }));

test('a task of ours reads back as it was written', () => {
  fc.assert(
    fc.property(taskRecord, (task) => {
      const reading = tasks.decodeTask(tasks.encodeTask(task), createdAt);
      assert.deepEqual(reading, { kind: 'task', record: task });
    }),
  );
});

test('statuses, attempts, assignments, workers and keys read back as they were written', () => {
  const status: fc.Arbitrary<StatusRecord> = record({
    state: fc.constantFrom('succeeded' as const, 'failed' as const, 'cancelled' as const),
    attempt: fc.integer({ min: 0, max: limits.attemptsMax }),
    worker: orNull(name),
    startedAt: orNull(time),
    finishedAt: time,
    result: json,
    error: error as fc.Arbitrary<NonNullable<StatusRecord['error']>>,
  }).map((all) => (all.state === 'succeeded' ? { ...all, error: null } : { ...all, result: null }));
  const attempt: fc.Arbitrary<AttemptRecord> = record({
    attempt: fc.integer({ min: 1, max: limits.attemptsMax }),
    worker: orNull(name),
    outcome: fc.constantFrom('succeeded' as const, 'failed' as const, 'timed_out' as const, 'lost' as const),
    error: orNull(error as fc.Arbitrary<NonNullable<AttemptRecord['error']>>),
    startedAt: orNull(time),
    finishedAt: time,
    retryAt: orNull(time),
  });
  const assignment: fc.Arbitrary<AssignmentRecord> = record({
    attempt: orNull(fc.integer({ min: 1, max: limits.attemptsMax })),
    startedAt: orNull(time),
    withdraw: fc.constantFrom('cancelled' as const, 'expired' as const, null),
    progress: orNull(record({ percent: fc.integer({ min: 0, max: 100 }), message: orNull(text) })),
  });
  const worker = record({
    address: text.filter((address) => address.trim() !== ''),
    concurrency: fc.integer({ min: 0, max: limits.workerConcurrencyMax }),
    types: orNull(fc.array(name)),
    queues: orNull(fc.array(name)),
    draining: fc.boolean(),
  });
  const key = record({
    fingerprint: text,
    submitId: text,
    nextNumber: fc.integer({ min: 0, max: limits.taskNumberMax }),
  });
  fc.assert(
    fc.property(status, (it) => {
      assert.deepEqual(records.decodeStatus(records.encodeStatus(it), createdAt), it);
    }),
  );
  fc.assert(
    fc.property(attempt, (it) => {
      const written = records.encodeAttempt(it);
      const read = records.decodeAttempt(written, it.attempt, createdAt);
      assert.deepEqual(read, it);
    }),
  );
  fc.assert(
    fc.property(assignment, (it) => {
      assert.deepEqual(records.decodeAssignment(records.encodeAssignment(it)), it);
    }),
  );
  fc.assert(
    fc.property(worker, (it) => {
      assert.deepEqual(records.decodeWorker(records.encodeWorker(it)), it);
    }),
  );
  fc.assert(
    fc.property(key, (it) => {
      assert.deepEqual(records.decodeKey(records.encodeKey(it)), it);
    }),
  );
});

test('any text that is no JSON object is a command', () => {
  for (const command of ['echo hello', '"echo hello"', '[1, 2]', 'true', '']) {
    const reading = decodeTask(command);
    assert.equal(reading.kind, 'task');
    if (reading.kind !== 'task') continue;
    const { type, payload, queue, maxAttempts, submittedAt, submitId } = reading.record;
    assert.deepEqual([type, payload, queue, maxAttempts], ['shell', command, 'default', limits.attemptsDefault]);
    assert.deepEqual([submittedAt, submitId], [createdAt, null]);
  }
  const trimmed = decodeTask('  echo hello\n');
  assert.equal(trimmed.kind === 'task' && trimmed.record.payload, 'echo hello');
});

test('text that begins like a JSON object and is none of ours is invalid, and says why', () => {
  const noTasks = [
    '{',
    '{}',
    ' {"a":1}',
    '{"v":"1","type":"echo"}',
    '{"v":0}',
    '{"v":1.5}',
    '{"v":1}',
    '{"v":1,"type":7}',
  ];
  for (const data of [
    ...noTasks,
    '{"v":1,"type":"a b"}',
    '{"v":1,"type":"a","queue":""}',
    `{"v":1,"type":"${'x'.repeat(65)}"}`,
  ]) {
    const reading = decodeTask(data);
    assert.equal(reading.kind, 'invalid', data);
    assert.ok(reading.kind === 'invalid' && reading.why !== '');
  }
});

test('a higher v is left to a newer version of us', () => {
  assert.deepEqual(decodeTask('{"v":2,"type":"what is this"}'), { kind: 'newer', v: 2 });
});

test('a task that is nested too deeply to be written again is invalid; one as deep as a submit may be is a task', () => {
  const nested = (depth: number) => `{"v":1,"type":"echo","payload":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  assert.equal(decodeTask(nested(limits.jsonDepthMax)).kind, 'task');
  assert.equal(decodeTask(nested(100_000)).kind, 'invalid');
});

test('what is wide, or has brackets in its texts, is not deep', () => {
  const task = (payload: string) => decodeTask(`{"v":1,"type":"x","payload":${payload}}`).kind;
  const deepest = limits.jsonDepthMax + 4 - 2; // with a number within, and the record around
  const nested = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;
  assert.deepEqual([task(nested(deepest)), task(nested(deepest + 2))], ['task', 'invalid']);
  assert.equal(task(JSON.stringify(Array.from({ length: 1000 }, (_, i) => [{ i }]))), 'task');
  assert.equal(task(JSON.stringify(']}'.repeat(100) + '[{'.repeat(100))), 'task');
  assert.equal(task(`[[${JSON.stringify(']}'.repeat(100))},${nested(deepest)}]]`), 'invalid');
});

test('a znode that is too large is invalid, not read', () => {
  assert.equal(decodeTask('x'.repeat(limits.recordBytesMax + 1)).kind, 'invalid');
});

test('a task by hand with little in it has the defaults, and what is out of bounds is brought within', () => {
  const little = decodeTask('{"v":1,"type":"echo"}');
  assert.ok(little.kind === 'task');
  assert.deepEqual(little.record, {
    ...tasks.defaultTaskOptions,
    ...{ type: 'echo', submitId: null, submittedAt: createdAt, idempotencyKey: null, retryOf: null, batch: null },
    schedule: null,
  });
  const much = decodeTask(
    '{"v":1,"type":"echo","priority":1e9,"maxAttempts":0,"timeoutMs":"soon","labels":{"a":1,"b":"c"},"backoff":7,"runAt":"never"}',
  );
  assert.ok(much.kind === 'task');
  const { priority, maxAttempts, timeoutMs, labels, backoff, runAt } = much.record;
  assert.deepEqual([priority, maxAttempts, timeoutMs], [limits.priorityMax, 1, limits.timeoutMsDefault]);
  assert.deepEqual([labels, backoff, runAt], [{ b: 'c' }, tasks.defaultTaskOptions.backoff, null]);
});

test('a status by hand means succeeded, with its text as the result', () => {
  const byHand = { state: 'succeeded', error: null, attempt: 1, worker: null, startedAt: null, finishedAt: createdAt };
  for (const said of ['done', '42', '{"state":"running"}', '{"ok":true}', '{"state":']) {
    assert.deepEqual(decodeStatus(said), { ...byHand, result: said });
  }
  assert.deepEqual(decodeStatus(''), { ...byHand, result: null });
  const failed = decodeStatus('{"state":"failed"}');
  assert.deepEqual(
    [failed.state, failed.error, failed.result],
    ['failed', { code: 'handler_error', message: '' }, null],
  );
});

test('an attempt that cannot be read counts as failed, under the number of its name', () => {
  const read = records.decodeAttempt(Buffer.from('oops'), 7, createdAt);
  assert.deepEqual([read.attempt, read.outcome, read.finishedAt, read.retryAt], [7, 'failed', createdAt, null]);
});

test('an assignment by hand says nothing; members that we do not know stay when it is written again', () => {
  const nothing = { attempt: null, startedAt: null, withdraw: null, progress: null };
  for (const data of ['', 'please', '[]', '{"withdraw":"maybe","progress":5}']) {
    assert.deepEqual(records.decodeAssignment(Buffer.from(data)), nothing, data);
  }
  const before = Buffer.from('{"note":"by hand","attempt":2,"progress":{"percent":5}}');
  const half = { ...records.decodeAssignment(before), progress: { percent: 50, message: 'half' } };
  const after = JSON.parse(records.encodeAssignment(half, before).toString());
  assert.deepEqual([after.note, after.attempt, after.progress], ['by hand', 2, { percent: 50, message: 'half' }]);
});

test('a worker by hand: any text is its address, no text is no worker', () => {
  const one = { concurrency: 1, types: null, queues: null, draining: false };
  for (const address of ['127.0.0.2:2222', 'anything', '{"no":"address"}']) {
    assert.deepEqual(records.decodeWorker(Buffer.from(address)), { ...one, address });
  }
  assert.deepEqual(records.decodeWorker(Buffer.from('{"address":"a:1","concurrency":1e9,"types":["x",7]}')), {
    ...one,
    ...{ address: 'a:1', concurrency: limits.workerConcurrencyMax, types: ['x'] },
  });
  for (const nothing of ['', ' \n']) assert.equal(records.decodeWorker(Buffer.from(nothing)), null);
});

test('a key that cannot be read is none', () => {
  for (const data of ['', 'x', '{}', '{"fingerprint":1,"submitId":"s"}']) {
    assert.equal(records.decodeKey(Buffer.from(data)), null);
  }
});

const queueSettings = record({
  paused: fc.boolean(),
  concurrency: orNull(fc.integer({ min: 0, max: limits.queueConcurrencyMax })),
  ratePerSecond: orNull(
    fc.double({ min: limits.queueRatePerSecondMin, max: limits.queueRatePerSecondMax, noNaN: true }),
  ),
  burst: orNull(fc.integer({ min: 1, max: limits.queueBurstMax })),
  maxQueued: orNull(fc.integer({ min: 0, max: limits.queueMaxQueuedMax })),
});

test('settings of a queue read back over whatever was there, with only what is not default, unknown members kept', () => {
  fc.assert(
    fc.property(queueSettings, queueSettings, (before, after) => {
      const old = Buffer.from(
        JSON.stringify({ ...JSON.parse(queueRecord.encodeQueue(before).toString()), note: 'kept' }),
      );
      const data = queueRecord.encodeQueue(after, old);
      assert.deepEqual(queueRecord.decodeQueue(data), { settings: after, notTaken: ['note'] });
      const changed = Object.entries(after).filter(([, value]) => value !== null && value !== false);
      assert.deepEqual(JSON.parse(data.toString()), { v: 1, note: 'kept', ...Object.fromEntries(changed) });
    }),
  );
});

test('what cannot be read of a queue, or is out of bounds, is no setting, and said to be not taken', () => {
  const read = (text: string) => queueRecord.decodeQueue(Buffer.from(text));
  for (const text of ['', 'paused', '[]', '{', '{paused:true}', '5']) {
    assert.deepEqual(read(text), { settings: null, notTaken: [] }, text);
  }
  const wrong = { paused: 'yes', concurrency: -1, ratePerSecond: 0, burst: 0.5, maxQueued: 1e9 };
  const none = { settings: defaultQueueSettings, notTaken: Object.keys(wrong) };
  assert.deepEqual(read(JSON.stringify(wrong)), none);
  assert.deepEqual(read('{"v":1,"concurrency":1e400,"burst":0,"maxQueued":"9","pause":true}').notTaken, [
    ...['concurrency', 'burst', 'maxQueued', 'pause'],
  ]);
  const lifted = '{"v":1,"paused":false,"concurrency":null,"burst":5}';
  assert.deepEqual(read(lifted), { settings: { ...defaultQueueSettings, burst: 5 }, notTaken: [] });
});

test('no bytes at all make a reader throw', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    fc.json().map((it) => Buffer.from(it)),
    fc.object().map((it) => Buffer.from(JSON.stringify({ v: 1, type: 'echo', state: 'failed', address: 'a', ...it }))),
  );
  fc.assert(
    fc.property(anything, (data) => {
      tasks.decodeTask(data, createdAt);
      records.decodeStatus(data, createdAt);
      records.decodeAttempt(data, 1, createdAt);
      records.decodeWorker(data);
      records.decodeKey(data);
      queueRecord.encodeQueue(queueRecord.decodeQueue(data).settings ?? defaultQueueSettings, data);
      records.encodeAssignment(records.decodeAssignment(data), data);
    }),
    { numRuns: 300 },
  );
});

test('text that is no UTF-8 is made so, since one such task would spoil the answers that it is in', () => {
  const nasty = (members: string) => Buffer.from(`{"v":1,${members}}`);
  const half = '"a\\ud800"';
  const origin = `"submitId":${half},"idempotencyKey":${half},"retryOf":${half}`;
  const error = `"worker":${half},"error":{"code":${half},"message":${half}}`;
  const read = [
    tasks.decodeTask(nasty(`"type":"echo","labels":{${half}:${half}},${origin}`), createdAt),
    records.decodeStatus(nasty(`"state":"failed",${error}`), createdAt),
    records.decodeAttempt(nasty(`"outcome":"failed",${error}`), 1, createdAt),
    records.decodeAssignment(nasty(`"progress":{"percent":1,"message":${half}}`)),
    records.decodeWorker(nasty(`"address":${half},"types":[${half}],"queues":[${half}]`)),
  ];
  const told = JSON.stringify(read);
  assert.equal(told.match(/"a\ufffd"/g)?.length, 15);
  assert.doesNotMatch(told, /\\ud8/);
});

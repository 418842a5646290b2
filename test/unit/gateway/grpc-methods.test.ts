// Goal: what the gRPC face makes of the methods beside SubmitTask and GetTask: what goes in, what comes out, what is refused
// and by which field. Method: a real grpc-js client on loopback against a gateway over a store and an index in memory.

import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { type Client, status } from '@grpc/grpc-js';
import { ServiceError } from '../../../domain/errors.ts';
import { limits } from '../../../domain/limits.ts';
import type { TaskId } from '../../../domain/task.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';
import { type Answer, call, connectTasks, detailsOf, failure, reasonOf, violatedFields } from './grpc-client.ts';

let gateway: TestGateway;
let client: Client;

before(async () => {
  gateway = await startTestGateway();
  client = connectTasks(gateway.grpcAddress);
});

after(async () => {
  client.close();
  await gateway.drain();
});

afterEach(() => {
  gateway.index.leading = true;
  gateway.store.failure = null;
});

const ask = (method: string, request: object = {}) => call(client, method, request);

async function submit(spec: object = {}): Promise<TaskId> {
  return (await ask('SubmitTask', { spec: { type: 'echo', ...spec } })).task.id;
}

async function refused(method: string, request: object, fields: readonly string[]): Promise<void> {
  const error = await failure(ask(method, request));
  assert.equal(error.code, status.INVALID_ARGUMENT, error.details);
  assert.equal(reasonOf(error), 'invalid-request');
  assert.deepEqual(violatedFields(error), fields);
}

async function failsWith(work: Promise<unknown>, code: status, reason: string): Promise<void> {
  const error = await failure(work);
  assert.deepEqual([error.code, reasonOf(error)], [code, reason]);
}

describe('SubmitTasks', () => {
  it('commits all in their order, and answers them again for the same key', async () => {
    const specs = [1, 2, 3].map((n) => ({ type: 'echo', payload: { numberValue: n } }));
    const first = await ask('SubmitTasks', { specs, idempotency_key: 'batch' });
    assert.equal(first.created, true);
    assert.deepEqual(
      first.tasks.map((task: Answer) => task.payload.numberValue),
      [1, 2, 3],
    );
    const again = await ask('SubmitTasks', { specs, idempotency_key: 'batch' });
    assert.equal(again.created ?? false, false);
    assert.deepEqual(again.tasks, first.tasks);
    const other = ask('SubmitTasks', { specs: specs.slice(1), idempotency_key: 'batch' });
    await failsWith(other, status.ALREADY_EXISTS, 'idempotency-key-reused');
  });

  it('commits none where one does not fit, and says which, by field', async () => {
    const before = gateway.store.submitted.length;
    const good = { type: 'echo' };
    const specs = [good, { type: 'a b' }, good, { ...good, delay_ms: -1, labels: { 'a b': 'c' } }];
    await refused('SubmitTasks', { specs }, ['specs[1].type', 'specs[3].delay_ms', 'specs[3].labels["a b"]']);
    const nan = { listValue: { values: [{ numberValue: Number.NaN }] } };
    await refused('SubmitTasks', { specs: [good, { ...good, payload: nan }] }, ['specs[1].payload["0"]']);
    await refused('SubmitTasks', { specs: [good, { ...good, backoff: { type: 7 } }] }, ['specs[1].backoff.type']);
    await refused('SubmitTasks', { specs: [{}] }, ['specs[0].type']);
    await refused('SubmitTasks', {}, ['specs']);
    await refused('SubmitTasks', { specs: Array(limits.batchTasksMax + 1).fill(good) }, ['specs']);
    await refused('SubmitTasks', { specs: [good], idempotency_key: 'ü' }, ['idempotency_key']);
    const large = { ...good, payload: { stringValue: 'x'.repeat(limits.payloadBytesMax) } };
    const error = await failure(ask('SubmitTasks', { specs: [good, large] }));
    assert.deepEqual([reasonOf(error), violatedFields(error)], ['payload-too-large', ['specs[1].payload']]);
    assert.equal(gateway.store.submitted.length, before);
  });
});

describe('what comes after what', () => {
  it('is said by ids and by places, and answered by ids', async () => {
    const before = await submit();
    const { task } = await ask('SubmitTask', {
      spec: {
        type: 'echo',
        after: [before],
        after_failure: 'AFTER_FAILURE_WAIT',
        deadline_ms: 5000,
        exclusive_key: 'k',
      },
    });
    assert.deepEqual([task.after, task.after_failure, task.exclusive_key], [[before], 'AFTER_FAILURE_WAIT', 'k']);
    const milliseconds = ({ seconds, nanos = 0 }: Answer) => seconds * 1000 + nanos / 1e6;
    assert.equal(milliseconds(task.deadline_at) - milliseconds(task.submitted_at), 5000);
    const member = { type: 'echo', after: [before], after_members: [0] };
    const { tasks } = await ask('SubmitTasks', { specs: [{ type: 'echo' }, member] });
    assert.deepEqual(tasks[1].after, [before, tasks[0].id]);
    assert.deepEqual(gateway.store.submitted.at(-1)?.after, [before, 0]);
    assert.equal(tasks[0].after_failure, 'AFTER_FAILURE_FAIL');
  });

  it('is refused by field, in the list that it stands in', async () => {
    const id = await submit();
    const spec = { type: 'echo', after: [id] };
    await refused('SubmitTask', { spec: { ...spec, after: [id, 'x', id] } }, ['spec.after[1]', 'spec.after[2]']);
    await refused('SubmitTask', { spec: { ...spec, after_members: [0] } }, ['spec.after_members']);
    await refused('SubmitTask', { spec: { ...spec, after_failure: 9 } }, ['spec.after_failure']);
    await refused('SubmitTask', { spec: { ...spec, deadline_ms: 0, exclusive_key: '' } }, [
      ...['spec.deadline_ms', 'spec.exclusive_key'],
    ]);
    const first = { type: 'echo' };
    await refused('SubmitTasks', { specs: [first, { ...spec, after_members: [0, 1] }] }, ['specs[1].after_members[1]']);
    await refused('SubmitTasks', { specs: [first, { ...first, after_members: [0, 0, -1] }] }, [
      ...['specs[1].after_members[2]', 'specs[1].after_members[1]'],
    ]);
    await refused('SubmitTasks', { specs: [first, { ...first, after_failure: 9 }] }, ['specs[1].after_failure']);
  });

  it('has to be there, and what is not is told by field', async () => {
    const missing = 'task-0099999999';
    const spec = { type: 'echo', after: [await submit(), missing] };
    for (const [method, request, field] of [
      ['SubmitTask', { spec }, 'spec.after[1]'],
      ['SubmitTasks', { specs: [{ type: 'echo' }, { ...spec, after_members: [0] }] }, 'specs[1].after[1]'],
    ] as const) {
      const error = await failure(ask(method, request));
      assert.deepEqual([error.code, reasonOf(error)], [status.FAILED_PRECONDITION, 'dependency-not-found']);
      assert.deepEqual(violatedFields(error), [field]);
      assert.match(error.details, new RegExp(missing));
    }
  });
});

describe('ListTasks', () => {
  it('answers pages, newest first, until the cursor is empty', async () => {
    const queue = 'paged';
    const ids: TaskId[] = [];
    for (let i = 0; i < 5; i += 1) ids.push(await submit({ queue }));
    const seen: string[] = [];
    for (let cursor = ''; ; ) {
      const page = await ask('ListTasks', { queue, limit: 2, cursor });
      assert.ok((page.tasks ?? []).length <= 2);
      seen.push(...(page.tasks ?? []).map((task: Answer) => task.id));
      if (!page.next_cursor) break;
      cursor = page.next_cursor;
    }
    assert.deepEqual(seen, ids.reverse());
  });

  it('filters by everything that is set', async () => {
    const wanted = await submit({ type: 'rare', queue: 'f', labels: { a: '1', b: '2' } });
    await submit({ type: 'rare', queue: 'f', labels: { a: '1' } });
    gateway.store.finish(wanted, 'failed', null);
    const filters = [
      { type: 'rare', labels: { a: '1', b: '2' } },
      { type: 'rare', state: 'TASK_STATE_FAILED' },
      { queue: 'f', worker: 'worker-1' },
    ];
    for (const filter of filters) {
      const { tasks } = await ask('ListTasks', filter);
      assert.deepEqual(
        tasks.map(({ id }: Answer) => id),
        [wanted],
      );
    }
    const { tasks, next_cursor } = await ask('ListTasks', { type: 'none-has-this' });
    assert.deepEqual([tasks ?? [], next_cursor ?? ''], [[], '']);
  });

  it('refuses by field', async () => {
    await refused('ListTasks', { state: 42 }, ['state']);
    await refused('ListTasks', { type: 'a b', queue: 'ö' }, ['type', 'queue']);
    await refused('ListTasks', { limit: 0 }, ['limit']);
    await refused('ListTasks', { limit: -1 }, ['limit']);
    await refused('ListTasks', { cursor: 'nonsense' }, ['cursor']);
    await refused('ListTasks', { worker: 'w'.repeat(1025) }, ['worker']);
    await refused('ListTasks', { labels: { 'a b': '' } }, ['labels["a b"]']);
    await refused('ListTasks', { labels: { a: '\u{1f600}'.repeat(257) } }, ['labels["a"]']);
    await ask('ListTasks', { labels: { a: '\u{1f600}'.repeat(256) } });
    const labels = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, '']));
    await refused('ListTasks', { labels }, ['labels']);
  });
});

describe('what is about many tasks', () => {
  it('is UNAVAILABLE with a time to try again while no master leads', async () => {
    gateway.index.leading = false;
    for (const method of ['ListTasks', 'ListWorkers', 'ListQueues', 'GetStats']) {
      const error = await failure(ask(method));
      assert.deepEqual([error.code, reasonOf(error)], [status.UNAVAILABLE, 'no-leader'], method);
      assert.equal(detailsOf(error)['RetryInfo'].retry_delay.seconds, 1);
    }
    await ask('GetTask', { id: await submit() });
  });

  it('shows workers, one that takes every type or queue told from one that takes none', async () => {
    const worker = { address: 'somewhere', concurrency: 1e12, running: 0, draining: true };
    const { workers } = gateway.index;
    gateway.index.workers = async () => [
      ...(await workers.call(gateway.index)),
      { id: 'w2' as never, ...worker, types: null, queues: ['mail'] },
      { id: 'w3' as never, ...worker, types: [], queues: [] },
    ];
    const answer = await ask('ListWorkers');
    gateway.index.workers = workers;
    const [first, second, third] = answer.workers;
    assert.deepEqual(
      [first, second, third].map(({ queues = [], every_queue = false }) => [queues, every_queue]),
      [
        [[], true],
        [['mail'], false],
        [[], false],
      ],
    );
    const ours = { id: 'worker-1', address: '127.0.0.1:4000', concurrency: 2, types: ['echo'], running: 1 };
    const rest = { every_type: false, every_queue: true, draining: false };
    assert.deepEqual({ ...rest, ...first }, { ...ours, ...rest });
    assert.deepEqual(
      [second.every_type, second.types ?? [], second.draining, second.concurrency],
      [true, [], true, 2 ** 31 - 1],
    );
    assert.equal(third.every_type ?? false, false);
  });

  it('counts', async () => {
    const { leader, workers, slots, tasks, ...rest } = await ask('GetStats');
    assert.deepEqual([leader, workers, slots.total, slots.free], ['127.0.0.1:3000', 1, 2, 1]);
    assert.ok(tasks);
    assert.equal('oldest_queued_ms' in rest, false);
  });
});

describe('CancelTask, RetryTask, DeleteTask', () => {
  it('cancel with a reason, once', async () => {
    const id = await submit();
    const { task } = await ask('CancelTask', { id, reason: 'not needed' });
    assert.equal(task.state, 'TASK_STATE_CANCELLED');
    assert.deepEqual(task.error, { code: 'cancelled', message: 'not needed' });
    await failsWith(ask('CancelTask', { id }), status.FAILED_PRECONDITION, 'task-already-final');
    await refused('CancelTask', { id, reason: 'x'.repeat(limits.cancelReasonCharactersMax + 1) }, ['reason']);
  });

  it('retry as a new task, one for a key', async () => {
    const id = await submit({ payload: { boolValue: true } });
    await failsWith(ask('RetryTask', { id }), status.FAILED_PRECONDITION, 'task-not-final');
    gateway.store.finish(id, 'failed', null);
    const first = await ask('RetryTask', { id, idempotency_key: 'again' });
    assert.deepEqual([first.created, first.task.retry_of, first.task.payload], [true, id, { boolValue: true }]);
    const second = await ask('RetryTask', { id, idempotency_key: 'again' });
    assert.deepEqual([second.created ?? false, second.task.id], [false, first.task.id]);
    await refused('RetryTask', { id, idempotency_key: 'ü' }, ['idempotency_key']);
    const done = await submit();
    gateway.store.finish(done, 'succeeded', null);
    await failsWith(ask('RetryTask', { id: done }), status.FAILED_PRECONDITION, 'task-not-retryable');
  });

  it('delete what is final', async () => {
    const id = await submit();
    await failsWith(ask('DeleteTask', { id }), status.FAILED_PRECONDITION, 'task-not-final');
    gateway.store.finish(id, 'succeeded', null);
    assert.deepEqual(await ask('DeleteTask', { id }), {});
    await failsWith(ask('DeleteTask', { id }), status.NOT_FOUND, 'task-not-found');
  });

  it('find no task that is none', async () => {
    for (const method of ['CancelTask', 'RetryTask', 'DeleteTask', 'GetTask']) {
      for (const id of ['', 'task-9999999999', '../master', '\0', 'task-0000000001/status']) {
        await failsWith(ask(method, { id }), status.NOT_FOUND, 'task-not-found');
      }
    }
  });
});

describe('UpdateQueue', () => {
  const update = (request: object) => ask('UpdateQueue', { name: 'slow', ...request });
  const full = { paused: true, concurrency: 5, rate_per_second: 0.5, burst: 3, max_queued: 100 };

  it('without a mask changes what is set', async () => {
    assert.deepEqual((await update({ settings: full })).settings, full);
    assert.deepEqual((await update({ settings: { paused: false } })).settings, { ...full, paused: false });
    assert.deepEqual((await update({})).settings, { ...full, paused: false });
    const { queues } = await ask('ListQueues');
    const [queue] = queues.filter(({ name }: Answer) => name === 'slow');
    assert.deepEqual(queue.settings, { ...full, paused: false });
  });

  it('with a mask changes what is named: what is not set is lifted, what is set beside it stays as it was', async () => {
    await update({ settings: full });
    const mask = { update_mask: { paths: ['concurrency', 'burst'] } };
    const changed = await update({ settings: { burst: 9, max_queued: 1 }, ...mask });
    const { concurrency: _, ...others } = full;
    assert.deepEqual(changed.settings, { ...others, burst: 9 });
    const all = await update({ settings: { rate_per_second: 7 }, update_mask: { paths: ['*'] } });
    assert.deepEqual(all.settings, { paused: false, rate_per_second: 7 });
    assert.deepEqual((await update({ update_mask: { paths: ['*'] } })).settings, { paused: false });
  });

  it('refuses by field', async () => {
    await refused('UpdateQueue', { name: 'a b' }, ['name']);
    await refused('UpdateQueue', { name: '..' }, ['name']);
    await refused('UpdateQueue', {}, ['name']);
    const wrong = { concurrency: -1, rate_per_second: Number.NaN, burst: 0, max_queued: 1e8 };
    await refused('UpdateQueue', { name: 'slow', settings: { rate_per_second: Number.NaN } }, [
      'settings.rate_per_second',
    ]);
    const { rate_per_second: _, ...numbers } = wrong;
    await refused('UpdateQueue', { name: 'slow', settings: numbers }, [
      'settings.concurrency',
      'settings.burst',
      'settings.max_queued',
    ]);
    const paths = { update_mask: { paths: ['paused', 'colour'] } };
    await refused('UpdateQueue', { name: 'slow', ...paths }, ['update_mask.paths[1]']);
    const tooMany = new ServiceError('too-many-queues', 'Enough.');
    gateway.store.failure = tooMany;
    await failsWith(update({}), status.RESOURCE_EXHAUSTED, 'too-many-queues');
  });
});

// Goal: an explanation is answered whatever the masters do: none leads, none answers, or the one that does is behind. Method:
// the API over a store and an index in memory, which says what a master would.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';
import { ServiceError } from '../../../domain/errors.ts';
import { cause, explanationOf } from '../../../domain/explanation.ts';
import type { TaskId, WorkerId } from '../../../domain/task.ts';
import { parseSubmit } from '../../../gateway/api/request-parsing.ts';
import { TaskApi } from '../../../gateway/api/task-api.ts';
import { InMemoryIndex } from './in-memory-index.ts';
import { InMemoryTaskStore } from './in-memory-task-store.ts';

let store: InMemoryTaskStore;
let index: InMemoryIndex;
let api: TaskApi;

beforeEach(() => {
  store = new InMemoryTaskStore();
  index = new InMemoryIndex(store);
  api = new TaskApi(store, index, 3);
});

async function submit(body: object = {}): Promise<TaskId> {
  const { spec } = parseSubmit({ type: 'echo', ...body }, null, Date.now());
  const options = { idempotencyKey: null, fingerprint: null, waitMs: 0, signal: new AbortController().signal };
  return (await api.submit(spec, options)).task.id;
}

function give(id: TaskId, change: { withdraw?: 'cancelled'; cancelRequested?: boolean } = {}): void {
  const task = store.tasks.get(id);
  assert.ok(task);
  const record = { attempt: 1, startedAt: 1000, withdraw: change.withdraw ?? null, progress: null };
  const cancelRequested = change.cancelRequested ?? false;
  store.put({ ...task, cancelRequested, assignment: { worker: 'w' as WorkerId, record } });
}

/** The decisive reason and the others, and who is said to lead. */
async function reasons(id: TaskId): Promise<unknown[]> {
  const { reason, also, leader, state } = await api.explain(id);
  return [state, reason, also.map((other) => other.reason), leader];
}

const leader = '127.0.0.1:3000';

test('what the leading master says, with its address; of what nobody has there is nothing to explain', async () => {
  const id = await submit({ queue: 'mail' });
  assert.deepEqual(await api.explain(id), {
    ...{ id, state: 'queued', reason: 'no_workers', message: 'No worker is registered: start one.', since: null },
    ...{ until: null, worker: null, tasks: [], type: 'echo', queue: 'mail', workers: 0, limit: null, position: 0 },
    ...{ leader, also: [] },
  });
  await assert.rejects(api.explain('task-0000000099' as TaskId), { reason: 'task-not-found' });
});

test('what is final, or runs and is to go on, is not asked of a master', async () => {
  const [ended, running] = [await submit(), await submit()];
  store.finish(ended, 'failed', null);
  give(running);
  index.answering = false;
  assert.deepEqual(await reasons(ended), ['failed', 'failed', [], leader]);
  assert.deepEqual(await reasons(running), ['running', 'running', [], leader]);
  index.leading = false;
  assert.deepEqual(await reasons(ended), ['failed', 'failed', [], null]);
  assert.deepEqual(await reasons(running), ['running', 'running', ['no_master'], null]);
});

test('no master leads: that comes first, and what is known all the same after it', async () => {
  const [waiting, delayed, running] = [await submit(), await submit({ delayMs: 60_000 }), await submit()];
  give(running, { withdraw: 'cancelled' });
  const cancelled = await submit();
  const asked = store.tasks.get(cancelled);
  store.put({ ...asked, cancelRequested: true } as NonNullable<typeof asked>);
  index.leading = false;
  const { since, message } = await api.explain(waiting);
  assert.equal(since, 1000);
  assert.match(message, /^No master leads since 1970-01-01T00:00:01.000Z, as far as .* start one\.$/);
  assert.deepEqual(await reasons(waiting), ['queued', 'no_master', [], null]);
  assert.deepEqual(await reasons(delayed), ['scheduled', 'no_master', ['delayed'], null]);
  assert.deepEqual(await reasons(cancelled), ['queued', 'no_master', ['cancel_requested'], null]);
  assert.deepEqual(await reasons(running), ['running', 'withdrawing', ['no_master'], null]);
});

test('a master by hand, none known, and one that does not answer are told apart', async () => {
  const [waiting, delayed] = [await submit(), await submit({ delayMs: 60_000 })];
  index.answering = false;
  assert.deepEqual(await reasons(waiting), ['queued', 'master_unreachable', [], leader]);
  assert.deepEqual(await reasons(delayed), ['scheduled', 'delayed', ['master_unreachable'], leader]);
  const { since, message } = await api.explain(waiting);
  assert.equal(since, 3000);
  assert.match(message, /does not answer this gateway at 127.0.0.1:3000 since 1970-01-01T00:00:03.000Z, so more/);
  assert.match(message, /may be dead or cut off, and then another one leads within the session timeout and nothing/);
  index.leader = () => ({ kind: 'stranger', since: 2000 });
  assert.deepEqual(await reasons(waiting), ['queued', 'no_master', [], null]);
  assert.match((await api.explain(waiting)).message, /made \/master by hand at 1970-01-01T00:00:02/);
  index.leader = () => ({ kind: 'unknown' });
  assert.deepEqual(await reasons(waiting), ['queued', 'master_unreachable', [], null]);
  assert.match((await api.explain(waiting)).message, /no ZooKeeper session/);
});

test('a master that is behind, or ahead: the ensemble is asked once more', async () => {
  const id = await submit();
  const told = (state: 'succeeded' | null, reason: 'succeeded' | 'not_seen_yet') =>
    explanationOf({ id, state, type: null, queue: null }, [cause(reason, 'As a master says.')]);
  index.explained = told(null, 'not_seen_yet');
  const behind = await api.explain(id);
  assert.deepEqual(
    [behind.reason, behind.state, behind.type, behind.queue],
    ['not_seen_yet', 'queued', 'echo', 'default'],
  );
  const before = store.tasks.get(id);
  assert.ok(before);
  store.finish(id, 'succeeded', 1);
  store.shown.set(id, before);
  assert.match((await api.explain(id)).message, /It succeeded/);
  index.explained = told('succeeded', 'succeeded');
  store.shown.set(id, before);
  assert.match((await api.explain(id)).message, /It succeeded/);
  store.forget(id);
  store.shown.set(id, before);
  await assert.rejects(api.explain(id), { reason: 'task-not-found' });
});

test('why the last attempt failed is read from the task, which a master does not keep', async () => {
  const id = await submit();
  const task = store.tasks.get(id);
  assert.ok(task);
  const retryAt = Date.now() + 60_000;
  const at = { startedAt: 1000, finishedAt: 2000, retryAt };
  const error = { code: 'handler_error', message: `It broke.\n${'x'.repeat(5000)}` } as const;
  store.put({ ...task, attempts: [{ attempt: 1, worker: 'w', outcome: 'failed', error, ...at }] });
  const asMaster = (until: number) =>
    explanationOf({ id, state: 'scheduled', type: 'echo', queue: 'default' }, [
      cause('backing_off', 'As a master says.', { since: 2000, until, worker: 'w' }),
    ]);
  index.explained = asMaster(retryAt);
  const { message, worker } = await api.explain(id);
  assert.match(
    message,
    /^Attempt 1 of 3 did not succeed on worker w: handler_error, It broke\.\.\.\.; the next one may/,
  );
  assert.equal(worker, 'w');
  index.explained = asMaster(retryAt + 1);
  assert.equal((await api.explain(id)).message, 'As a master says.', 'it is about another attempt');
});

test('without the ensemble there is nothing to say', async () => {
  const id = await submit();
  store.failure = new ServiceError('coordination-unavailable', 'No.');
  await assert.rejects(api.explain(id), { reason: 'coordination-unavailable' });
});

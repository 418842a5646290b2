// Goal: near the end of the numbers that ZooKeeper gives, submits are refused in clear words and everything else goes on, to the very
// last number that a person can make; and there is a way on. Method: a stack on a server whose log is patched between two lives, so
// that it counts from where two billion tasks have been.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../domain/limits.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { grpcFace } from '../support/grpc-face.ts';
import { jumpTo } from '../support/sequence-jump.ts';
import { startStack } from '../support/stack.ts';
import type { Task } from '../support/task-client.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
/** The server is away for a second or two. */
const stack = await startStack(wholeFile, zookeeper, { sessionTimeoutMs: 20_000 });
const { client } = stack;
const session = await stack.session;
const [master] = stack.masters;
const echo = { type: 'echo' };

async function leap(number: number): Promise<void> {
  await jumpTo(zookeeper, session, '/tasks', number);
  await client.ready();
}

/** The last part of the problem's type. */
async function refusal(path: string, body: object, headers: Record<string, string> = {}): Promise<string | undefined> {
  const { body: problem } = await client.request('POST', path, body, headers);
  return problem.type.split('/').at(-1);
}

async function newestNumber(): Promise<number> {
  const admin = master?.process.logs.find(({ msg }) => msg === 'started')?.['admin'];
  const text = await (await fetch(`http://${admin}/metrics`)).text();
  return Number(/^taskkeeper_newest_task_number (\S+)$/m.exec(text)?.[1]);
}

test('the last numbers are given, then submits are refused and everything else goes on', async () => {
  const first = await client.run(echo);
  const running = await client.submit({ type: 'sleep', payload: { ms: 60_000 } });
  await leap(limits.taskNumberMax - 3);
  const key = { 'idempotency-key': 'k' };
  const keyed = await client.submit(echo, key);
  assert.equal(keyed.id, `task-${limits.taskNumberMax - 3}`);
  assert.equal(await refusal('/tasks/batch', { tasks: [echo, echo, echo] }), 'sequence-exhausted');
  const last = [await client.run(echo), await client.run(echo)];
  await master?.process.waitForLog(/nine tenths of 2147000000 task numbers are used/);

  const { status, headers } = await client.request('POST', '/tasks', echo);
  assert.deepEqual([status, headers.get('retry-after')], [503, null]);
  const grpc = await grpcFace(wholeFile, stack.gateway.grpcAddress).submit(echo);
  assert.deepEqual(grpc, { kind: 'refusal', reason: 'sequence-exhausted', places: [], retry: false });
  await client.request('PUT', '/schedules/s', { everyMs: 1000, overlap: 'allow', task: echo });
  const skipped = await eventually('its ticks are skipped', async () => {
    const { body } = await client.request('GET', '/schedules/s');
    return (body as unknown as { lastSkip: { why: string } | null }).lastSkip;
  });
  assert.equal(skipped.why, 'task-numbers-used-up');
  await client.request('DELETE', '/schedules/s');

  const again = await client.request('POST', '/tasks', echo, key);
  assert.deepEqual([again.status, again.body.id], [200, keyed.id]);
  await client.request('POST', `/tasks/${running.id}/cancel`);
  assert.equal((await client.wait(running.id)).state, 'cancelled');
  assert.equal(await refusal(`/tasks/${running.id}/retry`, {}), 'sequence-exhausted');
  const newestFirst = [...last].reverse().concat(keyed, running, first);
  const pages: string[] = [];
  for (let cursor = ''; ; ) {
    const { body } = await client.request('GET', `/tasks?limit=2${cursor}`);
    const { tasks, nextCursor } = body as unknown as { tasks: Task[]; nextCursor?: string };
    pages.push(...tasks.map(({ id }) => id));
    if (nextCursor === undefined) break;
    cursor = `&cursor=${nextCursor}`;
  }
  assert.deepEqual(
    pages,
    newestFirst.map(({ id }) => id),
  );
  assert.equal(await newestNumber(), limits.taskNumberMax - 1);
  assert.equal((await client.request('DELETE', `/tasks/${keyed.id}`)).status, 204);
});

test('tasks by hand go on to the last number that there is; then /tasks is removed, and numbers begin anew', async () => {
  const end = 2_147_483_647;
  await leap(end - 1);
  for (const number of [end - 1, end]) {
    const path = await session.create('/tasks/task-', 'echo hello', 'sequential');
    assert.equal(path, `/tasks/task-${number}`);
    assert.equal((await client.wait(path.slice('/tasks/'.length))).state, 'succeeded');
  }
  await assert.rejects(session.create('/tasks/task-', 'echo hello', 'sequential'), { code: 'node_exists' });
  assert.equal(await refusal('/tasks', echo), 'sequence-exhausted');
  await session.removeAll('/tasks');
  const task = await eventually('a submit is taken again', async () => {
    const { status, body } = await client.request('POST', '/tasks?wait=10s', echo);
    return status === 201 && body;
  });
  assert.deepEqual([task.id, task.state], ['task-0000000000', 'succeeded']);
});

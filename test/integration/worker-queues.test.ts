// Goal: a worker that is told which queues to serve is given tasks of those and of no others; what nobody serves waits, holds up
// nothing, and runs when somebody comes. Method: a stack whose workers serve different queues; both faces say which.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { type Answer, answerOf } from '../support/faces.ts';
import { grpcFace } from '../support/grpc-face.ts';
import { httpFace } from '../support/http-face.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

test('tasks go where their queue is served, and the others wait', async (t) => {
  const stack = await startStack(t, zookeeper, { workers: 0, sessionTimeoutMs: calmSessionMs });
  const { client } = stack;
  const mail = await stack.addWorker({ WORKER_QUEUES: 'mail', WORKER_CONCURRENCY: 1 });
  const reports = await stack.addWorker({ WORKER_QUEUES: 'reports, reports.daily' });
  // The only slot for mail is taken: what follows in that queue waits, though the other worker is free.
  const { id: long } = await client.submit({ type: 'sleep', payload: { ms: 600_000 }, queue: 'mail' });
  await client.untilRunning(long);
  const behind = await client.submit({ type: 'echo', queue: 'mail' });
  const nobodys = await Promise.all(
    ['default', 'report', 'Mail'].map((queue) => client.submit({ type: 'echo', queue })),
  );
  const queues = Array.from({ length: 20 }, (_, i) => (i % 2 ? 'reports' : 'reports.daily'));
  const done = await Promise.all(queues.map((queue) => client.run({ type: 'echo', queue })));
  assert.deepEqual([...new Set(done.map(({ worker }) => worker))], [reports.id]);
  for (const { id } of [behind, ...nobodys]) assert.equal((await client.get(id)).state, 'queued');
  await client.request('POST', `/tasks/${long}/cancel`);
  assert.equal((await client.wait(behind.id)).worker, mail.id);
  const every = await stack.addWorker();
  for (const { id } of nobodys) assert.equal((await client.wait(id)).worker, every.id);
});

test('both faces say which queues a worker serves', async (t) => {
  const stack = await startStack(t, zookeeper, { workers: 0, sessionTimeoutMs: calmSessionMs });
  await stack.addWorker({ WORKER_QUEUES: ' mail ,reports,mail' });
  await stack.addWorker({ WORKER_QUEUES: '' });
  for (const face of [httpFace(stack.client.url), grpcFace(t, stack.gateway.grpcAddress)]) {
    const workers = await eventually('both workers are listed', async () => {
      const { workers: listed } = answerOf(await face.workers());
      return listed.length === 2 && listed;
    });
    assert.deepEqual(
      workers.map(({ queues }: Answer) => queues),
      [['mail', 'reports'], null],
    );
  }
});

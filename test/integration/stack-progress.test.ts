// Goal: what a handler reports of its progress is seen in its task and in the task's stream, costs one write a second however
// often it reports, and is not lost with a link that breaks. Method: the version of the assignment, which counts its writes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { opcodes } from '../../coordination/zookeeper-requests.ts';
import { wholeFile } from '../support/cleanup.ts';
import { openEventStream } from '../support/event-stream.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { createGate, writeHandlers } from '../support/stack-handlers.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, { sessionTimeoutMs: calmSessionMs, workers: 0 });
const { client } = stack;

test('a thousand reports in three seconds are a few writes, and the last one is seen', async (t) => {
  const worker = await stack.addWorker({ HANDLERS_DIR: writeHandlers(t, ['reporting']) });
  const gate = createGate(t);
  const payload = { reports: 1000, ms: 3000, until: gate.path };
  const { id } = await client.submit({ type: 'reporting', payload });
  const stream = await openEventStream(`${client.url}/tasks/${id}/events`);
  t.after(() => stream.close());
  const seen: number[] = [];
  while (seen.at(-1) !== 100) {
    const next = await stream.next();
    assert.ok(next, 'the stream goes on until the end');
    if (next.data.progress) seen.push(next.data.progress.percent);
  }
  assert.deepEqual((await client.get(id)).progress, { percent: 100, message: 'report 1000' });
  const assignment = await (await stack.session).exists(`/assign/${worker.id}/${id}`);
  t.diagnostic(`${assignment?.version} writes, in the stream: ${seen.map((percent) => percent.toFixed(0))}`);
  // At once, then each second, and the last one: more only where three seconds took longer.
  const { startedAt } = await client.get(id);
  const secondsMax = Math.ceil((Date.now() - Date.parse(startedAt ?? '')) / 1000);
  assert.ok((assignment?.version ?? 0) >= 3 && (assignment?.version ?? 0) <= 1 + secondsMax);
  assert.deepEqual(
    seen,
    [...new Set(seen)].sort((a, b) => a - b),
  );
  gate.open();
  assert.equal((await client.wait(id)).state, 'succeeded');
  await worker.process.stop();
});

test('a report that is lost with the link, and its answer, are not lost for good', async (t) => {
  const handlers = { HANDLERS_DIR: writeHandlers(t, ['gated']) };
  const worker = await stack.addWorker(handlers, true);
  for (const lose of ['dropNextRequest', 'swallowNextReply'] as const) {
    const gate = createGate(t);
    const lost = worker.proxy?.[lose]((opcode, body) => opcode === opcodes.multi && body.includes('"percent":50'));
    const { id } = await client.submit({ type: 'gated', payload: { until: gate.path } });
    await lost;
    const running = await client.until(id, 'has progress', ({ progress }) => progress !== null);
    assert.deepEqual(running.progress, { percent: 50, message: 'waiting' });
    gate.open();
    assert.equal((await client.wait(id)).state, 'succeeded');
  }
});

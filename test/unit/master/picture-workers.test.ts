// Goal: a worker of a newer version is given nothing, and its life and death count as those of any other: what an earlier life
// was given is lost, what this one was given is not until it leaves, and then its place is left behind. Method: the real picture over
// a session whose tree the test holds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Session } from '../../../coordination/session.ts';
import { createLog } from '../../../runtime/log.ts';
import { Picture } from '../../../services/master/picture.ts';
import { taskId } from '../domain/facts.ts';
import { HeldSession } from './held-session.ts';

test('a worker of a newer version, from its former life to its end', async () => {
  const held = new HeldSession({});
  const picture = new Picture(held as unknown as Session, createLog('test', 'silent'));
  await picture.start();
  const { index } = picture;
  const phases = () =>
    [1, 2].map((number) => index.tasks.get(taskId(number))).map((entry) => entry && index.phase(entry));
  const given = JSON.stringify({ v: 1, attempt: 1, startedAt: new Date().toISOString() });
  for (const number of [1, 2]) await held.write(`/tasks/${taskId(number)}`, '{"v":1,"type":"any"}');
  await held.write('/assign/w', '');
  await held.write(`/assign/w/${taskId(1)}`, given);
  await held.write('/workers/w', '{"v":2,"places":{"small":4}}');
  await held.write(`/assign/w/${taskId(2)}`, given);
  assert.deepEqual(phases(), ['unsettled', 'running']);
  for (const number of [1, 2]) await held.remove(`/assign/w/${taskId(number)}`);
  assert.deepEqual([[...index.abandoned], phases()], [[], ['ready', 'ready']]);
  await held.remove('/workers/w');
  assert.deepEqual([...index.abandoned], ['w']);
});

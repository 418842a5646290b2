// Goal: what people spoil of queues, or hide, loosens nothing in silence and blocks nothing, for the master and for the gateways.
// Method: the real picture and the real directory over a session whose tree the test holds.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { QueueDirectory } from '../../../coordination/queue-ledger.ts';
import type { Session } from '../../../coordination/session.ts';
import { defaultQueueSettings } from '../../../domain/queue-settings.ts';
import type { Log } from '../../../runtime/log.ts';
import { Picture } from '../../../services/master/picture.ts';
import { forbidden, HeldSession } from './held-session.ts';

async function startMaster(found: Readonly<Record<string, string>> = {}) {
  const held = new HeldSession(found);
  const session = held as unknown as Session;
  const lines: string[] = [];
  const warn = ({ path }: { path: string }, what: string) => lines.push(`${path} ${what}`);
  const picture = new Picture(session, { warn } as unknown as Log);
  const directory = new QueueDirectory(session);
  await Promise.all([picture.start(), directory.start()]);
  const settings = () => {
    assert.deepEqual(directory.settingsOf('p'), picture.index.queues.settingsOf('p'));
    return directory.settingsOf('p');
  };
  return { held, lines, settings, index: picture.index };
}

test('what is no object leaves the settings as they were, and is said once', async () => {
  const { held, lines, settings } = await startMaster();
  await held.write('/queues/p', '{"v":1,"paused":true,"concurrency":5}');
  const paused = { ...defaultQueueSettings, paused: true, concurrency: 5 };
  assert.deepEqual([settings(), lines], [paused, []]);
  for (const text of ['{paused:true}', '', '{paused:true}', '[]']) {
    await held.write('/queues/p', text);
    assert.deepEqual(settings(), paused, text);
  }
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /^\/queues\/p these settings of a queue cannot be read/);
  await held.write('/queues/p', '{"v":1}');
  assert.deepEqual([settings(), lines.length], [defaultQueueSettings, 1]);
});

test('what cannot be read and never was pauses the queue until it is mended or removed, and is said', async () => {
  const unreadable = { ...defaultQueueSettings, paused: true };
  for (const text of ['{paused:true}', '', forbidden]) {
    const { held, lines, settings, index } = await startMaster({ '/queues/p': text });
    assert.deepEqual([settings(), index.mayStart('p'), index.mayStart('q')], [unreadable, false, true], text);
    await held.write('/queues/p', 'still none');
    assert.deepEqual(settings(), unreadable);
    assert.match(lines.at(-1) ?? '', /^\/queues\/p .* paused until they are mended or removed/);
    await held.write('/queues/p', '{"v":1,"concurrency":2}');
    assert.deepEqual(settings(), { ...defaultQueueSettings, concurrency: 2 });
    await held.write('/queues/p', forbidden);
    assert.deepEqual(settings(), { ...defaultQueueSettings, concurrency: 2 }, 'what was read before stays');
  }
  const { held, index } = await startMaster({ '/queues/p': 'none' });
  await held.remove('/queues/p');
  assert.equal(index.mayStart('p'), true);
});

test('a member that is not taken is named, once', async () => {
  const { held, lines, settings } = await startMaster();
  for (const concurrency of ['"5"', '"6"', '-1']) {
    await held.write('/queues/p', `{"v":1,"concurrency":${concurrency},"paused":true}`);
    assert.deepEqual(settings(), { ...defaultQueueSettings, paused: true });
  }
  assert.deepEqual(lines, ['/queues/p not taken as settings of a queue: concurrency']);
  await held.write('/queues/p', '{"pause":true}');
  assert.match(lines[1] ?? '', /: pause$/);
  await held.write('/queues/q', 'new');
  assert.match(lines[2] ?? '', /^\/queues\/q these settings of a queue cannot be read/);
});

test('a task that nobody may read takes no slot of any queue, and is named once', async () => {
  const { held, lines, index } = await startMaster();
  await held.write('/queues/p', '{"v":1,"concurrency":1}');
  const task = 'task-0000000007';
  await held.write('/assign/w', '');
  await held.write(`/assign/w/${task}`, '');
  for (let time = 0; time < 2; time += 1) {
    await held.write(`/tasks/${task}`, forbidden);
    assert.deepEqual([index.mayStart('p'), lines.length], [true, 1]);
  }
  assert.match(lines[0] ?? '', /^\/tasks\/task-0000000007 this may not be read/);
  assert.deepEqual([index.tasks.size, index.unsettled.size], [1, 0]);
  await held.write(`/tasks/${task}`, '{"v":1,"type":"echo","queue":"p"}');
  assert.equal(index.mayStart('p'), false);
});

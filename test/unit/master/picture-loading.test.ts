// Goal: however many tasks there are when a master starts, it goes on hearing and answering while it reads them: no turn of its
// event loop takes up all of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Session, SessionLost } from '../../../coordination/session.ts';
import { taskIdOf } from '../../../domain/task-id.ts';
import type { Log } from '../../../runtime/log.ts';
import { Picture } from '../../../services/master/picture.ts';
import { HeldSession } from './held-session.ts';

const many = 4500;
const taskPath = (number: number) => `/tasks/${taskIdOf(number)}`;

function pictureOfMany() {
  const found = Array.from({ length: many }, (_, number) => [taskPath(number), 'echo hello']);
  const held = new HeldSession(Object.fromEntries(found));
  const picture = new Picture(held as unknown as Session, { warn: () => undefined } as unknown as Log);
  return { held, picture };
}

test('many tasks are put in their places in several turns; before the last one the picture is not complete', async () => {
  const { held, picture } = pictureOfMany();
  const { counts } = picture.index.states;
  let events = 0;
  picture.onEvent(() => {
    events += 1;
  });
  const started = picture.start();
  while (counts.states.queued === 0) await nextTurn();
  assert.ok(counts.states.queued < many, `${counts.states.queued} in one turn`);
  assert.equal(picture.synced, false);
  // What happens meanwhile is not lost, of a task in its place and of one that is not.
  await held.remove(taskPath(0));
  await held.remove(taskPath(many - 1));
  await held.write(taskPath(many), 'echo hello');
  await started;
  assert.equal(picture.synced, true);
  assert.equal(counts.states.queued, many - 1);
  assert.equal(counts.unfinished, many - 1);
  assert.ok(events <= 3, `${events} events: what was there before is none`);
});

test('a session that ends meanwhile ends it', async () => {
  const { held, picture } = pictureOfMany();
  const { counts } = picture.index.states;
  const rejected = assert.rejects(picture.start(), SessionLost);
  while (counts.states.queued === 0) await nextTurn();
  held.lose();
  await rejected;
  assert.ok(counts.states.queued < many, `${counts.states.queued} were put in their places all the same`);
  assert.equal(picture.synced, false);
});

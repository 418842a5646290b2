// The figures at the head of an audit: who leads, who works, and what waits since when.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { standingOf } from '../../../audit/standing.ts';
import {
  assignment,
  attempt,
  ForgedTree,
  forgedAt,
  healthyTree,
  register,
  sessions,
  status,
  task,
} from './forged-tree.ts';

const now = forgedAt + 60_000;
const none = { scheduled: 0, queued: 0, running: 0, leftAlone: 0 };
const name = (number: number) => `task-000000000${number}`;

test('of a healthy system at rest, and of one in which nobody is', async () => {
  const leader = { kind: 'ours', address: '127.0.0.1:7000', since: forgedAt };
  const rest = { workers: 1, unfinished: none, oldestQueued: null };
  assert.deepEqual(await standingOf(healthyTree().snapshot(), now), { leader, ...rest });
  const empty = { leader: { kind: 'nobody' }, workers: 0, unfinished: none, oldestQueued: null };
  assert.deepEqual(await standingOf(new ForgedTree().snapshot(), now), empty);
});

test('a stranger that leads, and a /master that may not be read, are told as such', async () => {
  const byHand = healthyTree().remove('/master').create('/master', 'me', 3n).snapshot();
  assert.deepEqual((await standingOf(byHand, now)).leader, { kind: 'stranger', since: forgedAt });
  assert.deepEqual((await standingOf(healthyTree().snapshot(['/master']), now)).leader, { kind: 'hidden' });
});

test('a folder and a znode that is no worker count as none', async () => {
  const tree = register(healthyTree(), 'w2').create('/assign/w3').create('/workers/w4', 'not ephemeral');
  assert.equal((await standingOf(tree.snapshot(), now)).workers, 2);
});

test('unfinished tasks by their states; of what could run, that which has waited longest', async () => {
  const retryAt = forgedAt + 10_000;
  const tree = healthyTree()
    .create(`/tasks/${name(1)}`, task({ runAt: forgedAt + 20_000 }))
    .create(`/tasks/${name(2)}`, task())
    .create(`/tasks/${name(2)}/attempt-1`, attempt({ retryAt }))
    .create(`/tasks/${name(3)}`, task({ runAt: now + 1 }))
    .create(`/tasks/${name(4)}`, task())
    .create(`/assign/w1/${name(4)}`, assignment())
    .create(`/tasks/${name(5)}`, task())
    .create(`/tasks/${name(5)}/status`, status())
    .create(`/tasks/${name(6)}`, task())
    .create(`/tasks/${name(7)}`, task(), sessions.worker)
    .create(`/tasks/${name(8)}`, '{"v":2}');
  const { unfinished, oldestQueued } = await standingOf(tree.snapshot([`/tasks/${name(6)}`]), now);
  assert.deepEqual(unfinished, { scheduled: 1, queued: 2, running: 1, leftAlone: 3 });
  assert.deepEqual(oldestQueued, { id: name(2), since: retryAt });
});

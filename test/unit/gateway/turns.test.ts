// Goal: so many at a time and no more, in the order in which they came; whoever has waited for too long is told so and does nothing, and
// gives its turn on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Turns } from '../../../gateway/store/turns.ts';

const tooLate = () => new Error('too late');

test('two at a time, first come first served, also after a failure', async () => {
  const turns = new Turns(2, 10_000, tooLate);
  const began: number[] = [];
  let present = 0;
  const work = async (n: number) => {
    began.push(n);
    present += 1;
    assert.ok(present <= 2);
    await sleep(1);
    present -= 1;
    if (n === 1) throw new Error('it fails');
    return n;
  };
  const ends = await Promise.allSettled(Array.from({ length: 6 }, (_, n) => turns.take(() => work(n))));
  assert.deepEqual(began, [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(
    ends.map(({ status }) => status === 'fulfilled'),
    [true, false, true, true, true, true],
  );
});

test('a turn that comes too late is no turn', async () => {
  const turns = new Turns(1, 20, tooLate);
  let finish = (): void => undefined;
  const first = turns.take(
    () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
  );
  const second = turns.take(() => assert.fail('it has waited for too long'));
  await sleep(30);
  const third = turns.take(() => 'in time');
  finish();
  await first;
  await assert.rejects(second, tooLate());
  assert.equal(await third, 'in time');
});

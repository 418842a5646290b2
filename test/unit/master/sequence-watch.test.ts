// Goal: where the sequence of `/tasks` stands is known without a question as long as tasks come one after the other, is never
// taken to be further than it is, whatever people name, make and remove, and is right once the next task has come. Method: the
// real watch over a parent that counts as the server does, told of each creation as a mirror tells it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Stat } from '../../../coordination/jute.ts';
import type { Session } from '../../../coordination/session.ts';
import type { Znode } from '../../../coordination/zookeeper-requests.ts';
import { SequenceWatch } from '../../../services/master/sequence-watch.ts';

/** `/tasks` as the server has it. */
class Parent {
  readonly watch: SequenceWatch;
  looks = 0;
  creations = 0;
  readonly #names = new Set<number>();

  constructor() {
    const session = { exists: async () => this.#look() };
    this.watch = new SequenceWatch(session as unknown as Session, () => undefined);
    this.watch.onRoot({ stat: this.#stat() } as Znode);
  }

  /** A task of the next number; its data is read at once. Null: somebody has taken the name, and it is refused. */
  submit(): number | null {
    const number = this.creations;
    return this.#create(number) ? number : null;
  }

  /** A person's; false: it is there. */
  createByHand(number: number): boolean {
    return this.#create(number);
  }

  /** A child that is no task, which is not told. */
  createOther(): void {
    this.creations += 1;
  }

  remove(number: number): void {
    if (this.#names.delete(number)) this.watch.onTask(number, 'gone');
  }

  /** Everything is read anew, as after a reconnect. */
  readAnew(): void {
    this.watch.onRoot({ stat: this.#stat() } as Znode);
    for (const number of this.#names) this.watch.onTask(number, 'read');
  }

  #create(number: number): boolean {
    if (this.#names.has(number)) return false;
    this.#names.add(number);
    this.creations += 1;
    this.watch.onTask(number, 'created');
    this.watch.onTask(number, 'read');
    return true;
  }

  #look(): Stat {
    this.looks += 1;
    return this.#stat();
  }

  /** In terms of which the server tells the number of creations. */
  #stat(): Stat {
    const numChildren = this.#names.size;
    return { cversion: 2 * this.creations - numChildren, numChildren } as Stat;
  }
}

test('tasks that come one after the other are counted without a look', async () => {
  const parent = new Parent();
  for (let i = 0; i < 100; i += 1) assert.equal(parent.submit(), i);
  parent.remove(5);
  await parent.watch.settled();
  assert.deepEqual([parent.watch.next, parent.watch.readUntil, parent.looks], [100, 100, 0]);
});

test('a name far ahead moves it by one as any other, and so does what is made to step over it', async () => {
  const parent = new Parent();
  parent.submit();
  parent.createByHand(3);
  await parent.watch.settled();
  assert.equal(parent.watch.next, 2);
  parent.submit();
  assert.equal(parent.submit(), null);
  assert.equal(parent.watch.next, 3);
  parent.watch.onTask(3, 'read'); // written by somebody: it was counted long ago
  await parent.watch.settled();
  assert.equal(parent.watch.next, 3);
  parent.createOther(); // this is how it is stepped over
  assert.equal(parent.submit(), 4);
  await parent.watch.settled();
  assert.equal(parent.watch.next, 5);
});

const moves = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant({ kind: 'submit' } as const) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('by hand' as const), number: fc.nat(30) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), number: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'other' } as const) },
    { weight: 1, arbitrary: fc.constant({ kind: 'anew' } as const) },
    { weight: 2, arbitrary: fc.constant({ kind: 'answer' } as const) },
  ),
  { maxLength: 60 },
);

test('it is never taken to be further than it is, and is right when the next task has come', async () => {
  await fc.assert(
    fc.asyncProperty(moves, async (history) => {
      const parent = new Parent();
      for (const move of history) {
        if (move.kind === 'submit' && parent.submit() === null) parent.createOther();
        if (move.kind === 'by hand') parent.createByHand(move.number);
        if (move.kind === 'remove') parent.remove(move.number);
        if (move.kind === 'other') parent.createOther();
        if (move.kind === 'anew') parent.readAnew();
        if (move.kind === 'answer') await parent.watch.settled();
        assert.ok(parent.watch.next <= parent.creations, `${parent.watch.next} of ${parent.creations}`);
      }
      while (parent.submit() === null) parent.createOther();
      await parent.watch.settled();
      assert.equal(parent.watch.next, parent.creations);
    }),
    { numRuns: 500 },
  );
});

// Goal: lists are in the order of creation whatever order tasks come in, at a cost that does not grow with their number, and a
// page goes on where the last one ended while tasks come and go. Method: properties against a sorted array; a count of steps.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { CreationOrder, type Placed } from '../../../domain/creation-order.ts';
import { listTasks } from '../../../domain/index-views.ts';
import { formatPosition, parsePosition, type TaskFilter } from '../../../domain/master-index.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { addTask, assignmentFact, status, taskFact, taskId, workerId } from './facts.ts';

const everything: TaskFilter = { state: null, type: null, queue: null, worker: null, schedule: null, labels: [] };

function item(czxid: number, number: number): Placed {
  return { id: `task-${number}`, position: { czxid: BigInt(czxid), number } };
}

const places = fc.uniqueArray(fc.tuple(fc.nat(40), fc.nat(400)), { selector: String, maxLength: 400 });

test('any order of coming and going leaves the order of creation', () => {
  fc.assert(
    fc.property(places, fc.nat(), (all, stays) => {
      const order = new CreationOrder<Placed>();
      const items = all.map(([czxid, number]) => item(czxid, number));
      for (const each of items) order.add(each);
      const left = items.filter((_, i) => (i * 7919 + stays) % 3 !== 0);
      for (const each of items) if (!left.includes(each)) order.delete(each);
      const sorted = [...left].sort(
        (a, b) =>
          Number(b.position?.czxid) - Number(a.position?.czxid) ||
          Number(b.position?.number) - Number(a.position?.number),
      );
      assert.deepEqual([...order.newestFirst(null)], sorted);
      assert.equal(order.size, left.length);
      const middle = items[stays % Math.max(1, items.length)]?.position ?? null;
      const older = sorted.filter(
        ({ position }) =>
          !middle ||
          Number(position?.czxid) < Number(middle.czxid) ||
          (position?.czxid === middle.czxid && position.number < middle.number),
      );
      assert.deepEqual([...order.newestFirst(middle)], older, 'also after the position of one that is gone');
      if (middle) assert.equal(order.countBefore(middle), older.length);
    }),
  );
});

test('two hundred thousand in the worst of orders are no matter', () => {
  const orders = {
    forwards: (i: number) => i,
    backwards: (i: number) => 200_000 - i,
    scattered: (i: number) => (i * 7919) % 200_003,
  };
  for (const [name, numberOf] of Object.entries(orders)) {
    const order = new CreationOrder<Placed>();
    const startedAt = performance.now();
    for (let i = 0; i < 200_000; i += 1) order.add(item(1, numberOf(i)));
    const ms = performance.now() - startedAt;
    assert.equal(order.size, 200_000);
    assert.ok(ms < 5000, `${name}: ${ms} ms`); // quadratic would be minutes
  }
});

test('positions read back, and what is none is seen', () => {
  for (const position of [
    { czxid: 0n, number: 0 },
    { czxid: 0xffffffffffffffffn, number: 999_999_999_999_999 },
  ]) {
    assert.deepEqual(parsePosition(formatPosition(position)), position);
  }
  for (const text of ['', '-1', '1-', 'g-1', '1-1x', '12345678901234567-1', '1-1234567890123456']) {
    assert.equal(parsePosition(text), null, text);
  }
});

test('a list has what fits every part of the filter, newest first', () => {
  const index = new TaskIndex();
  index.advance(1000);
  addTask(index, 1, { type: 'a', queue: 'p', labels: { k: 'v', __proto__x: 'y' } });
  addTask(index, 2, { type: 'a', queue: 'q', labels: { k: 'v', l: 'w' }, runAt: 2000, schedule: { name: 's', at: 1 } });
  addTask(index, 3, { type: 'b', queue: 'q' });
  index.setAssignment(workerId('w'), taskId(3), assignmentFact());
  addTask(index, 4, { type: 'b', queue: 'p' });
  index.setStatus(taskId(4), status({ worker: 'w' }));
  index.setTask(taskId(5), taskFact(5, {}, { content: { kind: 'invalid', why: '' } }));
  const list = (filter: Partial<TaskFilter>) =>
    listTasks(index, { ...everything, ...filter }, 10, null, 1000).tasks.map(({ id }) => Number(id.slice(5)));
  assert.deepEqual(list({}), [5, 4, 3, 2, 1]);
  assert.deepEqual(list({ type: 'a' }), [2, 1]);
  assert.deepEqual(list({ queue: 'q' }), [3, 2]);
  assert.deepEqual(list({ state: 'scheduled' }), [2]);
  assert.deepEqual(list({ state: 'queued' }), [5, 1]);
  assert.deepEqual(list({ state: 'running' }), [3]);
  assert.deepEqual(list({ worker: 'w' }), [4, 3]);
  assert.deepEqual([list({ schedule: 's' }), list({ schedule: 'none' })], [[2], []]);
  assert.deepEqual(list({ worker: 'w', state: 'succeeded' }), [4]);
  assert.deepEqual(list({ labels: [['k', 'v']] }), [2, 1]);
  assert.deepEqual(
    list({
      labels: [
        ['k', 'v'],
        ['l', 'w'],
      ],
    }),
    [2],
  );
  assert.deepEqual(list({ labels: [['toString', 'v']] }), []);
  index.setStatus(taskId(3), 'unread'); // it has ended, nobody knows how: the gateway looks once more
  assert.deepEqual(list({ state: 'failed' }), [3]);
});

test('pages go on where they ended while tasks come and go, and only the last one says that it is', () => {
  const index = new TaskIndex();
  for (let number = 1; number <= 9; number += 1) addTask(index, number, { type: number % 2 ? 'odd' : 'even' });
  const page = (limit: number, after: string | null, scanMax = 100, filter: Partial<TaskFilter> = {}) => {
    const position = after === null ? null : parsePosition(after);
    const { tasks, next } = listTasks(index, { ...everything, ...filter }, limit, position, 0, scanMax);
    return { numbers: tasks.map(({ id }) => Number(id.slice(5))), next };
  };
  const first = page(3, null);
  assert.deepEqual(first.numbers, [9, 8, 7]);
  addTask(index, 10);
  index.removeTask(taskId(7));
  index.removeTask(taskId(5));
  const second = page(3, first.next);
  assert.deepEqual(second.numbers, [6, 4, 3]);
  assert.deepEqual(page(2, second.next), { numbers: [2, 1], next: null });
  assert.deepEqual(page(3, formatPosition({ czxid: 1n, number: 1 })), { numbers: [], next: null });
  // One that fits nothing looks at so many and no more, and says where to go on.
  const none = page(3, null, 4, { type: 'none' });
  assert.deepEqual(none, { numbers: [], next: formatPosition({ czxid: 6n, number: 6 }) });
  assert.deepEqual(page(3, none.next, 4, { type: 'none' }), { numbers: [], next: null });
});

// Goal: a reader of events goes on where it was as long as that is kept, and is told when it is not. Method: a small ring.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventRing } from '../../../domain/event-ring.ts';
import type { EventLine } from '../../../domain/master-index.ts';
import { taskId } from './facts.ts';

function push(ring: EventRing, count: number): void {
  for (let i = 0; i < count; i += 1) {
    ring.push({ id: taskId(i), type: 't', queue: 'q', state: 'queued', attempt: 0, worker: null, at: i });
  }
}

function lines(news: { text: string } | null): (EventLine & { kind: 'event' })[] {
  assert.ok(news !== null);
  return news.text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

test('what came after an event is kept for so many, in order and once', () => {
  const ring = new EventRing('ring', 4);
  const start = ring.end;
  assert.deepEqual(ring.from(start, 9), { text: '', next: start });
  push(ring, 3);
  const all = lines(ring.from(start, 9));
  assert.deepEqual(
    all.map(({ eventId, event }) => [eventId, event.at]),
    [
      ['ring-1', 0],
      ['ring-2', 1],
      ['ring-3', 2],
    ],
  );
  assert.deepEqual(lines(ring.from(start, 2)), all.slice(0, 2));
  assert.deepEqual([ring.from(start, 2)?.next, ring.from(start, 0)?.next], [start + 2, start]);
  const place = ring.placeAfter('ring-1');
  assert.deepEqual(lines(ring.from(place ?? 0, 9)), all.slice(1));
  push(ring, 2);
  assert.equal(ring.from(start, 9), null, 'the first one is not kept any more');
  assert.equal(lines(ring.from(ring.placeAfter('ring-1') ?? 0, 9)).length, 4);
  push(ring, 1);
  assert.equal(ring.placeAfter('ring-1'), null);
  assert.equal(ring.placeAfter('ring-6'), ring.end);
});

test('an id that is none of the ring says nothing', () => {
  const ring = new EventRing('ring', 4);
  push(ring, 2);
  for (const id of ['', 'ring', 'other-1', 'ring-9', 'ring--1', 'ring-1x', 'ring-1-1', '-1']) {
    assert.equal(ring.placeAfter(id), null, id);
  }
  assert.equal(ring.placeAfter('ring-0'), 1, 'before the first one: whoever has seen nothing has missed nothing');
});

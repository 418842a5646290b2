// Much work in one process that has to answer meanwhile: its session says every few seconds that it lives.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { monotonicMs } from '../runtime/clock.ts';

/** How long nothing else is done. */
const turnMs = 20;

/** The same items, with rests for whatever else is to be done. */
export async function* inTurns<T>(items: Iterable<T>): AsyncGenerator<T> {
  let restAt = monotonicMs() + turnMs;
  for (const item of items) {
    yield item;
    if (monotonicMs() < restAt) continue;
    await nextTurn();
    restAt = monotonicMs() + turnMs;
  }
}

/** Not more than `max` of them under way at a time. */
export async function forEachAtOnce<T>(
  max: number,
  items: Iterable<T>,
  act: (item: T) => Promise<void>,
): Promise<void> {
  const open = items[Symbol.iterator]();
  const lane = async () => {
    for (let next = open.next(); !next.done; next = open.next()) await act(next.value);
  };
  await Promise.all(Array.from({ length: max }, lane));
}

// Do many tasks make the others slower? The same loads on an empty stack, on one that keeps many finished tasks and on one in
// which many wait, one after the other in each repetition; the figure is the share of the empty one's rate.

import type { Contents } from '../stack.ts';
import { type Measured, w1, w2many, w2one } from './throughput.ts';
import { repeat, type Work } from './work.ts';

const all: readonly Contents[] = ['empty', 'finished', 'waiting'];
const works: readonly Measured[] = [w1, w2one, w2many];
/** What the load before has left to be done is not the next one's. */
const pauseMs = 500;

export const flatness: Work = async (bench) => {
  const { driver, figures, sizes } = bench;
  for (const contents of all) await bench.stack(contents);
  // Each of them is the first, and the last, as often as the others.
  const repetitions = Math.ceil(sizes.repetitions / all.length) * all.length;
  const once = async (repetition: number) => {
    for (const { name, load, rate } of works) {
      const rates: Partial<Record<Contents, number>> = {};
      // Another one first each time: whatever the machine does meanwhile hits each of them.
      for (const contents of rotated(all, repetition)) {
        const { port } = await bench.stack(contents);
        const given = load(port, sizes.tasks);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        rates[contents] = rate(await driver.run(given), given.tasks);
      }
      for (const contents of ['finished', 'waiting'] as const) {
        const share = (rates[contents] ?? Number.NaN) / (rates.empty ?? Number.NaN);
        figures.add({ figure: `${name}, among many ${contents}`, unit: 'of empty', better: 'higher' }, share);
      }
    }
    for (const contents of all) await (await bench.stack(contents)).reset();
  };
  await repeat(bench, `among ${sizes.many} tasks`, once, repetitions);
};

function rotated<T>(items: readonly T[], by: number): T[] {
  return items.map((_, i) => items[(i + by) % items.length] as T);
}

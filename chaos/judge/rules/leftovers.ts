// A process that has nothing to do holds no more than it did before there was anything: no watch, timer, file or link is left over from the calls
// and faults of the run. Pure.

import { line, type Rule } from '../history.ts';
import { excessOf } from '../leftover-bounds.ts';

export const leftovers: Rule = {
  name: 'leftovers',
  *check({ leftovers: all }, tally) {
    for (const leftover of all) {
      tally.add('processes asked what they hold');
      for (const { kind, more } of excessOf(leftover)) {
        yield { what: `${leftover.id} holds ${more} ${kind} more than before the run`, evidence: [line(leftover)] };
      }
    }
  },
};

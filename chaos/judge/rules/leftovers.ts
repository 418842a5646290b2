// A process that has nothing to do holds no more than it did before there was anything: no watch, timer or file is left over from the calls
// and faults of the run. Pure.

import { allowances } from '../allowances.ts';
import { line, type Rule } from '../history.ts';

export const leftovers: Rule = {
  name: 'leftovers',
  *check({ leftovers: all }, tally) {
    for (const leftover of all) {
      tally.add('processes asked what they hold');
      const { id, baseline, end } = leftover;
      for (const [name, count] of Object.entries(end)) {
        const more = count - (baseline[name] ?? 0);
        if (more <= allowances.leftover) continue;
        yield { what: `${id} holds ${more} ${name} more than before the run`, evidence: [line(leftover)] };
      }
    }
  },
};

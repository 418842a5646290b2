// Nobody is refused what the system has to do: a reason that no call of the traffic deserves (a fault inside, a request that does not fit) is
// marked as such by whoever made the call. Pure.

import { wrongRefusal } from '../../record.ts';
import { line, type Rule } from '../history.ts';

export const refusals: Rule = {
  name: 'refusals',
  *check({ calls }, tally) {
    for (const call of calls) {
      const { request, outcome } = call;
      tally.add(`calls ${request.operation} ${outcome.is}`);
      if (outcome.is === 'no' && request.operation === 'submit') tally.add(`submits refused: ${outcome.reason}`);
      if (outcome.is === 'no' && outcome.reason.startsWith(wrongRefusal)) {
        yield { what: `a ${request.operation} was refused: ${outcome.reason}`, evidence: [line(call)] };
      }
    }
  },
};

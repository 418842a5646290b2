// What each master has in memory is what a fresh read of the tree gives. Pure.

import { line, type Rule } from '../history.ts';

export const pictures: Rule = {
  name: 'pictures',
  *check({ pictures: all }, tally) {
    for (const picture of all) {
      tally.add('pictures of masters compared');
      const [first] = picture.differences;
      if (first === undefined) continue;
      const what = `the picture of ${picture.id} differs from the tree in ${picture.differences.length} places: ${first}`;
      yield { what, evidence: [line(picture)] };
    }
  },
};

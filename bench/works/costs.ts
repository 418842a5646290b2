// What a task costs in requests to ZooKeeper: counted, not timed, by what `npm test` holds to its bounds.

import { costRoles, costRows, countCosts, sumOf } from '../../test/support/counted-costs.ts';
import { type Costs, costNames } from '../../test/support/request-costs.ts';
import { formatTable, perTask } from '../figures.ts';
import { startBenchZooKeeper } from '../zookeeper.ts';
import type { Work } from './work.ts';

export const costs: Work = async ({ figures, scope, say }) => {
  say('counting requests');
  const zookeeper = await startBenchZooKeeper(scope);
  const add = (of: string, phase: string, counted: Costs) => {
    for (const cost of costNames) {
      const name = { figure: `${cost} of ${of}, ${phase}`, unit: perTask, better: 'lower' } as const;
      // How many tasks share a request is a matter of time.
      figures.add(phase === 'one at a time' ? { ...name, isExact: true } : name, counted[cost]);
    }
  };
  for (const counted of await countCosts(scope, zookeeper)) {
    for (const role of costRoles) add(role, counted.phase, counted.perTask[role]);
    add('all', counted.phase, sumOf(counted));
    say(formatTable(costRows(counted)));
  }
};

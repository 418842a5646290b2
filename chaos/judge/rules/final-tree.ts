// The tree that a quiet system leaves: nothing is assigned, and no idempotency key outlives its tasks, but those of batches, which a leading
// master removes unless it dies first. Pure.

import { keyPaths } from '../../../coordination/key-paths.ts';
import { parseAssignPath, paths } from '../../../coordination/znode-paths.ts';
import { type Finding, type History, line, type Rule } from '../history.ts';
import { znodeLine } from '../tasks.ts';
import type { Tally } from '../verdict.ts';

export const finalTree: Rule = {
  name: 'final-tree',
  *check(history, tally) {
    tally.add('znodes of the final tree', history.tree.size);
    for (const path of history.tree.keys()) {
      if (parseAssignPath(path)?.task)
        yield { what: `${path} is left over`, evidence: [znodeLine(history.tree, path)] };
    }
    yield* keysWithoutTasks(history, tally);
  },
};

const keyPath = new RegExp(`^${paths.idempotency}/[^/]+/[^/]+$`);

/** A key and its tasks were made by one transaction. */
function* keysWithoutTasks({ tree, tasks, requests }: History, tally: Tally): Generator<Finding> {
  const made = new Set([...tasks.values()].map(({ czxid }) => czxid));
  const calls = new Map([...requests.byKey].map(([key, asked]) => [keyPaths(key).path, asked]));
  for (const [path, { stat }] of tree) {
    if (!keyPath.test(path)) continue;
    tally.add('keys in the final tree');
    if (made.has(stat.czxid)) continue;
    const asked = calls.get(path) ?? [];
    const isBatch = asked.some(({ request }) => request.operation === 'submit' && request.tasks.length > 1);
    if (isBatch) tally.add('keys of batches that outlived their tasks');
    else yield { what: `${path} outlived its task`, evidence: [...asked.map(line), znodeLine(tree, path)] };
  }
}

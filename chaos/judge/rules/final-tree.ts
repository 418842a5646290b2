// The tree that a quiet system leaves, by the rules of the audit: what must hold at every moment, and what must where nothing is under way. And no
// idempotency key outlives its tasks, but those of batches, which a leading master removes unless it dies first. Pure.

import { auditTree, quietFindings } from '../../../audit/audit-tree.ts';
import { keyPaths } from '../../../coordination/key-paths.ts';
import { paths } from '../../../coordination/znode-paths.ts';
import { allowances } from '../allowances.ts';
import { type Finding, type History, line, type Rule } from '../history.ts';
import { znodeLine } from '../tasks.ts';
import type { Tally } from '../verdict.ts';

export const finalTree: Rule = {
  name: 'final-tree',
  *check(history, tally) {
    tally.add('znodes of the final tree', history.tree.size);
    yield* audited(history, tally);
    yield* keysWithoutTasks(history, tally);
  },
};

function* audited(history: History, tally: Tally): Generator<Finding> {
  const { tree, ended } = history;
  const now = ended[0]?.epochMs ?? 0;
  const unjudged = new Set<string>(['quiet-unfinished']); // judged with the tasks that were acknowledged
  if (!isSettled(history)) unjudged.add('quiet-backlog');
  for (const { severity, rule, path, what } of [...auditTree(tree), ...quietFindings(tree, { now, sessions: null })]) {
    if (unjudged.has(rule)) continue;
    if (severity === 'odd') tally.add(`odd in the final tree: ${rule}`);
    else yield { what: `${path} ${what} (${rule})`, evidence: [znodeLine(tree, path)] };
  }
}

/** The last task had ended for some time when the last call was answered; the tree was read after that. */
function isSettled(history: History): boolean {
  let [lastEnd, lastAnswer] = [0, 0];
  for (const { status } of history.tasks.values()) lastEnd = Math.max(lastEnd, status?.record.finishedAt ?? 0);
  for (const { to } of history.calls) lastAnswer = Math.max(lastAnswer, to);
  return lastAnswer - history.momentOf(lastEnd) >= allowances.backlogMs;
}

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

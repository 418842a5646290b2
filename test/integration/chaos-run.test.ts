// Goal: the promises hold under fire, and whoever breaks them is found out before it is shipped. Method: a short `npm run chaos` with a seed of
// its own: a real ensemble and a small fleet, traffic over both faces, processes killed and frozen, links broken, all of it judged. Many seeds
// and longer runs are for `npm run chaos` itself.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { judge } from '../../chaos/judge/judge.ts';
import { renderVerdict } from '../../chaos/judge/render-verdict.ts';
import { outcomeOf } from '../../chaos/judge/verdict.ts';
import { readReport } from '../../chaos/report.ts';
import { runChaos } from '../../chaos/run.ts';
import { temporaryFolder } from '../support/stack-handlers.ts';

test('half a minute of faults: every promise is kept', { timeout: 300_000 }, async (t) => {
  const folder = join(temporaryFolder(t), 'run');
  const shape = { masters: 2, workers: 3, gateways: 2 };
  const say = (text: string) => t.diagnostic(text);
  await runChaos({ seed: 'npm-test', seconds: 25, folder, shape, perSecond: 15, restMsMax: 5000, say });
  const { entries, tree } = readReport(folder);
  const verdict = judge(entries, tree);
  assert.equal(outcomeOf(verdict), 'kept', renderVerdict(verdict));
  // It was no quiet half minute: each of these was put to the test.
  for (const name of ['tasks acknowledged', 'attempts lost', 'keys repeated', 'pictures of masters compared']) {
    assert.ok((verdict.exercised[name] ?? 0) > 0, `no ${name}:\n${renderVerdict(verdict)}`);
  }
});

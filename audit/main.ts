// `npm run audit`: says whether a live tree is as it must be at every moment, and what is odd. It changes nothing: of all that it sends
// only the beginning and the end of its session are transactions.

import { CoordinationError } from '../coordination/coordination-error.ts';
import { monotonicMs } from '../runtime/clock.ts';
import { BadConfiguration, formatAddress } from '../runtime/environment.ts';
import { NoTree, openTree } from './connection.ts';
import type { DatedFinding } from './finding.ts';
import { auditLive } from './live-audit.ts';
import { mastersToAsk, pictureFindings } from './live-pictures.ts';
import { type AuditOptions, readAuditOptions, usage } from './options.ts';
import { jsonReport, type Report, sorted, textReport, violationsIn } from './report.ts';
import { standingOf } from './standing.ts';
import { tasksIn } from './tree-survey.ts';

const exitCodes = { clean: 0, violations: 1, unread: 2, badConfig: 78 } as const;

async function main(): Promise<number> {
  const options = readAuditOptions(process.argv.slice(2), process.env);
  if (!options) {
    process.stdout.write(`${usage}\n`);
    return exitCodes.clean;
  }
  const report = await audit(options);
  process.stdout.write(`${options.json ? jsonReport(report) : textReport(report)}\n`);
  return violationsIn(report.findings) > 0 ? exitCodes.violations : exitCodes.clean;
}

async function audit({ zookeeper, waitMs, masters }: AuditOptions): Promise<Report> {
  const session = await openTree(zookeeper, waitMs);
  const startedAt = monotonicMs();
  try {
    const { tree, findings, unsettled, dropped } = await auditLive(session);
    const asked = masters === null ? [] : mastersToAsk(masters, tree);
    const differences: DatedFinding[] = [];
    for (const address of asked) differences.push(...(await pictureFindings(session, address, tree)));
    const { servers, chroot } = zookeeper.connect;
    return {
      connect: `${servers.map(({ host, port }) => formatAddress(host, port)).join(',')}${chroot}`,
      server: session.server,
      tookMs: Math.round(monotonicMs() - startedAt),
      znodes: tree.size,
      tasks: tasksIn(tree).length,
      standing: await standingOf(tree, Date.now()),
      masters: asked,
      findings: sorted([...findings, ...differences]),
      ...{ unsettled, dropped },
    };
  } finally {
    await session.close();
  }
}

function explain(error: unknown): { code: number; text: string } {
  if (error instanceof BadConfiguration)
    return { code: exitCodes.badConfig, text: `bad configuration\n${error.message}` };
  if (error instanceof NoTree) return { code: exitCodes.unread, text: error.message };
  // What else is thrown is a bug, and no violation.
  if (!(error instanceof CoordinationError)) return { code: exitCodes.unread, text: String((error as Error).stack) };
  const text = `the tree could not be read to its end: ${error.message}\nRun it again when the ensemble is well.`;
  return { code: exitCodes.unread, text };
}

try {
  process.exitCode = await main();
} catch (error) {
  const { code, text } = explain(error);
  process.stderr.write(`taskkeeper audit: ${text}\n`);
  process.exitCode = code;
}

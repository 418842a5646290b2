// One assignment from its appearance to its end: reads the task, runs the attempt, and has the outcome recorded together
// with the removal of the assignment.

import type { AttemptLedger } from '../../coordination/attempt-ledger.ts';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import type { Session } from '../../coordination/session.ts';
import { parseAttemptName, paths } from '../../coordination/znode-paths.ts';
import { decodeTask } from '../../coordination/znode-records.ts';
import type { Progress, TaskRecord, WorkerId } from '../../domain/task.ts';
import type { Log } from '../../runtime/log.ts';
import { type AttemptFacts, type Ending, endingOf, invalidTaskEnding } from './ending.ts';
import type { HandlerRegistry } from './handler-registry.ts';
import type { HeldAssignment } from './held-assignment.ts';
import { OutcomeWriter } from './outcome-writer.ts';
import { ProgressReport } from './progress-report.ts';
import { RunEnd } from './run-end.ts';
import { type AttemptResult, runAttempt } from './task-runner.ts';

export interface RunContext {
  readonly session: Session;
  readonly worker: WorkerId;
  readonly ledger: AttemptLedger;
  readonly registry: HandlerRegistry;
  readonly log: Log;
  readonly onAttemptEnded: (kind: AttemptResult['kind']) => void;
}

/** Settles when nothing of the run goes on and its outcome stands, or is not ours to record. Rejects only for bugs. */
export async function runAssignment(context: RunContext, held: HeldAssignment): Promise<void> {
  try {
    await readAndRun(context, held);
  } catch (error) {
    if (!(error instanceof CoordinationError)) throw error;
    if (context.session.signal.aborted) return; // the master records the attempt as lost
    context.log.error({ err: error, task: held.task }, 'a run could not be recorded; it stays assigned');
  }
}

async function readAndRun(context: RunContext, held: HeldAssignment): Promise<void> {
  const { session, worker, ledger, log } = context;
  const writer = new OutcomeWriter(session, ledger, worker, log);
  const path = paths.task(held.task);
  const znode = await session.getData(path);
  if (!znode) return writer.write(held, 0, () => ({ kind: 'hand_back' })); // deleted before it began
  const names = znode.stat.numChildren > 0 ? ((await session.getChildren(path))?.children ?? []) : [];
  const { version } = znode.stat;
  if (names.includes('status')) return writer.write(held, version, () => ({ kind: 'hand_back' })); // left over
  const reading = decodeTask(znode.data, znode.stat.ctime);
  if (reading.kind === 'newer') return log.warn({ task: held.task, v: reading.v }, 'left to a newer worker');
  const attempt = held.record.attempt ?? Math.max(0, ...names.map((name) => parseAttemptName(name) ?? 0)) + 1;
  const start = { attempt, worker, startedAt: Date.now() };
  if (reading.kind === 'invalid') {
    return writer.write(held, version, () => invalidTaskEnding(reading.why, { ...start, finishedAt: Date.now() }));
  }
  const result = await execute(context, held, reading.record, start);
  const facts = { ...start, finishedAt: Date.now() };
  context.onAttemptEnded(result.kind);
  await writer.write(held, version, () => decideEnding(context, held, result, reading.record, facts));
}

async function execute(
  context: RunContext,
  held: HeldAssignment,
  record: TaskRecord,
  { attempt, startedAt }: Omit<AttemptFacts, 'finishedAt'>,
): Promise<AttemptResult> {
  const report = new ProgressReport((progress) => writeProgress(context, held, attempt, startedAt, progress));
  const result = await runAttempt({
    registry: context.registry,
    type: record.type,
    payload: record.payload,
    context: { taskId: held.task, attempt, fencingToken: String(held.czxid) },
    timeoutMs: record.timeoutMs,
    signal: held.signal,
    onProgress: (progress) => report.add(progress),
  });
  await report.close();
  return result;
}

/** A withdrawal that came while the outcome was being written wins over the outcome. */
async function decideEnding(
  { session }: RunContext,
  held: HeldAssignment,
  result: AttemptResult,
  record: TaskRecord,
  facts: AttemptFacts,
): Promise<Ending> {
  const { withdraw } = held.record;
  if (withdraw === null) return endingOf(result, record, facts, '', Math.random());
  const cancel = await session.getData(paths.cancel(held.task));
  const reason = new RunEnd({ kind: 'withdrawn', reason: withdraw });
  return endingOf({ kind: 'aborted', reason }, record, facts, cancel?.data.toString('utf8') ?? '', Math.random());
}

/** Progress is a courtesy: a write that is refused or unknown is forgotten, the next one tells more. */
async function writeProgress(
  { session, ledger, worker, log }: RunContext,
  held: HeldAssignment,
  attempt: number,
  startedAt: number,
  progress: Progress,
): Promise<void> {
  if (held.signal.aborted) return;
  const fence = { task: held.task, worker, taskVersion: 0, assignmentVersion: held.version };
  const record = { ...held.record, attempt, startedAt: held.record.startedAt ?? startedAt, progress };
  try {
    await ledger.report(fence, record, held.data);
    held.update(await session.getData(paths.assignment(worker, held.task)));
  } catch (error) {
    if (!(error instanceof CoordinationError)) throw error;
    log.debug({ err: error, task: held.task }, 'a progress report was not written');
  }
}

// One assignment from its appearance to its end: reads the task, runs the attempt, and has the outcome recorded together
// with the removal of the assignment.

import type { AttemptLedger } from '../../coordination/attempt-ledger.ts';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import type { Session } from '../../coordination/session.ts';
import { decodeTask } from '../../coordination/task-record.ts';
import { parseAttemptName, paths } from '../../coordination/znode-paths.ts';
import { limits } from '../../domain/limits.ts';
import type { Progress, TaskRecord, WorkerId } from '../../domain/task.ts';
import type { Moment } from '../../domain/task-machine.ts';
import { deadlineOf } from '../../domain/task-view.ts';
import { cutText } from '../../domain/well-formed.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { type Ending, endingOf, invalidTaskEnding, tooLargeResult } from './ending.ts';
import { logFailedAttempt } from './failed-attempt.ts';
import type { HandlerRegistry } from './handler-registry.ts';
import type { FailureData } from './handlers/handler-failure.ts';
import type { HeldAssignment } from './held-assignment.ts';
import { type EndingTerms, OutcomeWriter } from './outcome-writer.ts';
import { ProgressReport } from './progress-report.ts';
import { runFacts } from './run-facts.ts';
import type { TaskReads } from './task-reads.ts';
import { type AttemptResult, runAttempt } from './task-runner.ts';
import { mayPass, whileSessionLives } from './while-session-lives.ts';

export interface RunContext {
  readonly session: Session;
  readonly worker: WorkerId;
  readonly ledger: AttemptLedger;
  readonly reads: TaskReads;
  readonly registry: HandlerRegistry;
  readonly log: Log;
  readonly onAttemptEnded: (kind: AttemptResult['kind']) => void;
}

interface RunStart extends Omit<Moment, 'finishedAt'> {
  readonly startedAt: number;
  /** When that was, by the clock of runtime/clock.ts. */
  readonly since: number;
}

/**
 * Settles when nothing of the run goes on and its outcome stands, or is not ours to record. Rejects only for bugs. An
 * assignment that is still there then is one that nobody here can end.
 */
export async function runAssignment(context: RunContext, held: HeldAssignment): Promise<void> {
  const { session, worker, ledger, log } = context;
  const { task } = held;
  const writer = new OutcomeWriter(session, ledger, worker, log);
  const refusal = await refusalOf(() => readAndRun(context, held, writer));
  if (!refusal || session.signal.aborted) return; // where the session is over, the master records the attempt as lost
  log.error({ err: refusal, task }, 'the outcome of a task cannot be recorded; the task is handed back');
  const second = await refusalOf(() => writer.handBack(held));
  if (!second || session.signal.aborted) return;
  log.error({ err: second, task }, 'nor can it be handed back: it stays assigned until somebody removes it');
}

async function refusalOf(act: () => Promise<void>): Promise<CoordinationError | null> {
  try {
    await act();
    return null;
  } catch (error) {
    if (!(error instanceof CoordinationError)) throw error;
    return error;
  }
}

async function readAndRun(context: RunContext, held: HeldAssignment, writer: OutcomeWriter): Promise<void> {
  const { session, worker, reads, log } = context;
  const path = paths.task(held.task);
  if (held.runStop.why?.kind === 'unreadable') return leaveToNewer(context, held, writer);
  const znode = await whileSessionLives(session, () => reads.read(held.task));
  if (!znode) return writer.handBack(held); // deleted before it began
  const listed = znode.stat.numChildren > 0 ? await whileSessionLives(session, () => session.childNames(path)) : null;
  const names = listed ?? [];
  if (names.includes('status')) return writer.handBack(held); // left over
  const reading = decodeTask(znode.data, znode.stat.ctime);
  if (reading.kind === 'newer') {
    log.warn({ task: held.task, v: reading.v }, 'a record of a newer version: handed back for a newer worker');
    return writer.handBack(held);
  }
  const attempt = held.record.attempt ?? nextAttempt(names);
  const { startedAt, since } = startOf(held);
  const start = { attempt, worker, startedAt, since };
  const write = (decide: (terms: EndingTerms) => Promise<Ending> | Ending) =>
    writer.write(held, {
      taskVersion: znode.stat.version,
      attempt,
      decide: (terms) => (held.isNewer ? newerEnding(context, held) : decide(terms)),
    });
  if (reading.kind === 'invalid') {
    return write(() => invalidTaskEnding(reading.why, endedNow(start)));
  }
  const result = await execute(context, held, reading.record, start);
  const facts = endedNow(start);
  context.onAttemptEnded(result.kind);
  if (result.kind === 'aborted' && result.why.kind === 'unreadable') return leaveToNewer(context, held, writer);
  await write((terms) => decideEnding(context, held, result, reading.record, facts, terms));
}

function leaveToNewer(context: RunContext, held: HeldAssignment, writer: OutcomeWriter): Promise<void> {
  logNewer(context, held);
  return writer.handBack(held);
}

/** What was written while the outcome was on its way may be a withdrawal, which would win over it: that is not ours to tell. */
function newerEnding(context: RunContext, held: HeldAssignment): Ending {
  logNewer(context, held);
  return { kind: 'hand_back' };
}

function logNewer({ log }: RunContext, { task }: HeldAssignment): void {
  log.warn({ task }, 'a newer version of Taskkeeper wrote the assignment: handed back for a newer worker');
}

/**
 * The time that the assignment says, so that whoever looks is told the same start while it runs and afterwards. What follows
 * is reckoned from it by what has passed here since: pauses and deadlines are kept by masters, whatever our own clock says.
 */
function startOf({ record, seenAt }: HeldAssignment): { startedAt: number; since: number } {
  const { startedAt } = record;
  return startedAt === null ? { startedAt: Date.now(), since: monotonicMs() } : { startedAt, since: seenAt };
}

function endedNow({ attempt, worker, startedAt, since }: RunStart): Moment {
  return { attempt, worker, startedAt, finishedAt: Math.round(startedAt + monotonicMs() - since) };
}

/** Numbers made by hand may be anything; from `attemptsMax` on no attempt is followed by another. */
function nextAttempt(names: readonly string[]): number {
  return Math.min(limits.attemptsMax, Math.max(0, ...names.map((name) => parseAttemptName(name) ?? 0)) + 1);
}

async function execute(
  context: RunContext,
  held: HeldAssignment,
  record: TaskRecord,
  { attempt, startedAt }: RunStart,
): Promise<AttemptResult> {
  // By the clock of the master that assigned it: the worker's own may be another. The master's mark comes at the deadline, too.
  const deadlineAt = deadlineOf(record);
  const report = new ProgressReport((progress) => writeProgress(context, held, attempt, startedAt, progress));
  const thrown: FailureData[] = [];
  const result = await runAttempt({
    registry: context.registry,
    type: record.type,
    payload: record.payload,
    context: runFacts(held.task, record, attempt, held.czxid),
    timeoutMs: record.timeoutMs,
    leftMs: deadlineAt === null ? null : deadlineAt - (held.record.startedAt ?? startedAt),
    runStop: held.runStop,
    onProgress: (progress) => report.add(progress),
    onFailure: (failure) => thrown.push(failure),
  });
  logFailedAttempt(context.log, { task: held.task, type: record.type, attempt }, result, thrown[0] ?? null);
  await report.close();
  return result;
}

/** A withdrawal that came while the outcome was being written wins over the outcome. */
async function decideEnding(
  { session }: RunContext,
  held: HeldAssignment,
  result: AttemptResult,
  record: TaskRecord,
  ended: Moment,
  { attempt, isTooLarge }: EndingTerms,
): Promise<Ending> {
  const { worker, startedAt, finishedAt } = ended;
  const facts = { attempt, worker, startedAt, finishedAt };
  const { withdraw } = held.record;
  if (withdraw === null) {
    return endingOf(isTooLarge ? tooLargeResult(result) : result, record, facts, '', Math.random());
  }
  const cancel = await whileSessionLives(session, () => session.getData(paths.cancel(held.task)));
  // Whoever made the znode may have put anything into it.
  const text = cutText(cancel?.data.toString('utf8') ?? '', limits.errorMessageCharactersMax);
  return endingOf(
    { kind: 'aborted', why: { kind: 'withdrawn', reason: withdraw } },
    record,
    facts,
    text,
    Math.random(),
  );
}

/** Progress is a courtesy: what is refused for good is forgotten. True: there is nothing more to be done about it. */
async function writeProgress(
  { session, ledger, worker, log }: RunContext,
  held: HeldAssignment,
  attempt: number,
  startedAt: number,
  progress: Progress,
): Promise<boolean> {
  if (held.runStop.why) return true;
  const fence = { task: held.task, worker, taskVersion: 0, assignmentVersion: held.version };
  const record = { ...held.record, attempt, startedAt: held.record.startedAt ?? startedAt, progress };
  try {
    await ledger.report(fence, record, held.data);
    held.update(await session.getData(paths.assignment(worker, held.task)));
    return true;
  } catch (error) {
    if (!(error instanceof CoordinationError)) throw error;
    log.debug({ err: error, task: held.task }, 'a progress report was not written');
    return !mayPass(error);
  }
}

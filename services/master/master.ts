// A master for one session: keeps the picture warm, stands for election, leads while it holds `/master`, and stands
// again when it was overtaken. Ends when the session or the process does.

import { ensureParents } from '../../coordination/bootstrap.ts';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import { type Candidate, campaign, type Leadership, resign } from '../../coordination/election.ts';
import { GroupCommit } from '../../coordination/group-commit.ts';
import type { Session } from '../../coordination/session.ts';
import { TaskLedger } from '../../coordination/task-ledger.ts';
import { TickLedger } from '../../coordination/tick-ledger.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { RetentionPolicy } from '../../domain/retention.ts';
import type { Log } from '../../runtime/log.ts';
import { AssignLoop } from './assign-loop.ts';
import { runBacklog } from './backlog-loop.ts';
import { ClockWatch } from './clock-watch.ts';
import type { MasterMetrics } from './master-metrics.ts';
import type { MasterView } from './master-view.ts';
import { Picture } from './picture.ts';
import { runRetention } from './retention-loop.ts';
import { ScheduleLoop } from './schedule-loop.ts';
import { ScheduleMirror } from './schedule-mirror.ts';

export interface MasterOptions {
  readonly candidate: Candidate;
  readonly log: Log;
  readonly metrics: MasterMetrics;
  /** Told what this master knows, and when it leads. */
  readonly view: MasterView;
  readonly retention: RetentionPolicy;
  /** Told whenever this master becomes ready to lead or to stand by, or stops being so. */
  readonly onReady: (ready: boolean) => void;
}

/** One session's life as a master. Returns when `stop` aborts, `/master` given up; throws when the session is lost. */
export async function runMaster(session: Session, options: MasterOptions, stop: AbortSignal): Promise<void> {
  const { log, candidate, view } = options;
  await ensureParents(session);
  const picture = new Picture(session, log);
  const schedules = new ScheduleMirror(session, log);
  const ended = AbortSignal.any([stop, session.signal]);
  let stopListening = (): void => undefined;
  try {
    await untilAborted(Promise.all([picture.start(), schedules.start()]), ended);
    if (ended.aborted) return;
    log.info({ tasks: picture.index.tasks.size, workers: picture.index.workers.size }, 'the picture is complete');
    view.picture = picture;
    options.onReady(session.state === 'connected');
    stopListening = session.onState((state) => options.onReady(state === 'connected'));
    while (!ended.aborted) {
      const leadership = await campaign(session, candidate, ended);
      if (leadership) await lead(session, { picture, schedules }, leadership, options, ended);
    }
  } finally {
    stopListening();
    view.picture = null;
    options.onReady(false);
  }
}

async function lead(
  session: Session,
  { picture, schedules }: { readonly picture: Picture; readonly schedules: ScheduleMirror },
  leadership: Leadership,
  { log, metrics, view, retention: policy }: MasterOptions,
  ended: AbortSignal,
): Promise<void> {
  log.info({ epoch: leadership.epoch }, 'leading');
  metrics.leading.set(1);
  const overtaken = new AbortController();
  const over = new AbortController();
  const watch = watchMaster(session, overtaken);
  view.term = { session, picture, signal: AbortSignal.any([ended, overtaken.signal, over.signal]) };
  // Commits of its own for the housekeeping, which does not stand in line before assignments.
  const housekeeping = new GroupCommit(session, leadership.guards);
  const onRemoved = (count: number) => metrics.removed.inc(count);
  const onFenced = () => overtaken.abort();
  const keeper = new TaskLedger(session, housekeeping);
  const ticks = new TickLedger(session, new GroupCommit(session, leadership.guards));
  const clocks = new ClockWatch(log, metrics.clockAhead);
  const onTick = (outcome: string) => metrics.ticks.inc({ outcome });
  const clock = new ScheduleLoop({ picture, schedules, ledger: ticks, log, onTick, onFenced });
  const ledger = new TaskLedger(session, new GroupCommit(session, leadership.guards));
  const loop = new AssignLoop({ picture, ledger, log, onAssigned: (count) => metrics.assigned.inc(count) });
  // Begun before the chores: what waits for a master is assigned first.
  const leading = loop.run(AbortSignal.any([ended, overtaken.signal]));
  const chores = Promise.all([
    runRetention({ picture, ledger: keeper, policy, log, onRemoved, onFenced }, over.signal),
    runBacklog({ picture, commits: housekeeping, clocks, onFenced }, over.signal),
    clock.run(over.signal),
  ]);
  const why = await leading;
  over.abort();
  view.term = null;
  await chores;
  watch.cancel();
  metrics.leading.set(0);
  log.info({ epoch: leadership.epoch, why: overtaken.signal.aborted ? 'overtaken' : why }, 'not leading any more');
  if (session.signal.aborted || why === 'fenced') return;
  await resign(session, leadership).catch((error: unknown) => {
    if (!(error instanceof CoordinationError)) throw error; // somebody else's by now, or it goes with the session
  });
}

/** Any change of `/master` means that we do not lead as we did: nobody of ours touches it while we hold it. */
function watchMaster(session: Session, overtaken: AbortController): { cancel: () => void } {
  const { stat, cancel } = session.watch(paths.master, () => overtaken.abort());
  stat.then(
    (found) => {
      if (found?.ephemeralOwner !== session.id) overtaken.abort();
    },
    () => overtaken.abort(),
  );
  return { cancel };
}

/** Ends the wait with `signal`, though the work behind it goes on until its session ends. */
function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = () => resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    work.then(onAbort, (error: unknown) => {
      if (signal.aborted) resolve();
      else reject(error as Error);
    });
  });
}

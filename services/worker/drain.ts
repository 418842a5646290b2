// A clean stop of a worker: it takes no more, finishes what runs within a grace period, hands the rest back unpunished and
// leaves no trace. It leaves only when nothing is assigned to it: an attempt that it forgot would count as lost.

import { CoordinationError } from '../../coordination/coordination-error.ts';
import { announce, deregister } from '../../coordination/membership.ts';
import type { Session } from '../../coordination/session.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { Znode } from '../../coordination/zookeeper-requests.ts';
import type { TaskId, WorkerId, WorkerRecord } from '../../domain/task.ts';
import { parseTaskId } from '../../domain/task-id.ts';
import type { Log } from '../../runtime/log.ts';
import type { Slots } from './slots.ts';
import { mayPass, whileSessionLives } from './while-session-lives.ts';

export interface Draining {
  readonly session: Session;
  readonly id: WorkerId;
  readonly record: WorkerRecord;
  readonly drainGraceMs: number;
  readonly slots: Slots;
  /** Puts an assignment into the slots where it is this registration's. */
  readonly take: (task: TaskId, znode: Znode) => void;
  readonly log: Log;
}

/** Resolves when nothing is ours to end any more, or the session is over and nothing runs. */
export async function drain(worker: Draining): Promise<void> {
  const { slots, log } = worker;
  slots.close();
  log.info({ running: slots.running, waiting: slots.waiting }, 'draining');
  const announced = announceDraining(worker);
  // Not before the master knows: what is handed back to it would come right back.
  const stopRunning = () => void announced.then(() => slots.stopRunning({ kind: 'shutdown' }));
  const timer = setTimeout(stopRunning, worker.drainGraceMs);
  await announced;
  slots.returnWaiting();
  await leave(worker);
  clearTimeout(timer);
}

/** Until it stands a master goes on assigning, and after it none does: what is assigned is all that there will be. */
async function announceDraining({ session, id, record, log }: Draining): Promise<void> {
  try {
    await whileSessionLives(session, () => announce(session, id, { ...record, draining: true }), mayPass);
  } catch (error) {
    if (!(error instanceof CoordinationError)) throw error;
    if (!session.signal.aborted) log.warn({ err: error }, 'this worker cannot say that it drains');
  }
}

async function leave(worker: Draining): Promise<void> {
  const { session, id, slots, log } = worker;
  for (;;) {
    await slots.ended();
    if (session.signal.aborted) return;
    try {
      if (await whileSessionLives(session, () => deregister(session, id), mayPass)) return;
      if (!(await takeLate(worker))) return log.warn('what is still assigned here is not ours to end');
    } catch (error) {
      if (!(error instanceof CoordinationError)) throw error;
      return; // refused: the session's end removes the registration, and the master the rest
    }
  }
}

/** Takes up what the feed has not brought yet. False: all that is left is nothing that this worker can end. */
async function takeLate(worker: Draining): Promise<boolean> {
  const { session, id } = worker;
  const listed = await whileSessionLives(session, () => session.getChildren(paths.assignments(id)));
  const names = listed?.children ?? [];
  let others = 0;
  for (const name of names) {
    const task = parseTaskId(name);
    if (!task || !(await endsHere(worker, task))) others += 1;
  }
  return others === 0 || others < names.length;
}

/** True where it is still to be ended here, or has been by now. */
async function endsHere({ session, id, slots, take }: Draining, task: TaskId): Promise<boolean> {
  if (slots.isUnderWay(task)) return true;
  const znode = await whileSessionLives(session, () => session.getData(paths.assignment(id, task)));
  if (znode) take(task, znode);
  return znode === null || slots.isUnderWay(task);
}

// Schedules in `/schedules`, as a gateway changes and reads them. Ticks are the leading master's (tick-ledger.ts); the state
// below a schedule goes with it, in one transaction, which also sets `/schedules`: so a tick that was decided before the removal
// never lands on the next schedule of the same name.

import { isDeepStrictEqual } from 'node:util';
import { limits } from '../domain/limits.ts';
import {
  type KeptSchedule,
  nextRunAt,
  type ScheduleRecord,
  type ScheduleSnapshot,
  type TickState,
} from '../domain/schedule.ts';
import type { TaskId } from '../domain/task.ts';
import { taskIdOf } from '../domain/task-id.ts';
import { createIfMissing } from './bootstrap.ts';
import { CoordinationError, isRefusal } from './coordination-error.ts';
import type { GroupCommit } from './group-commit.ts';
import { isNewer } from './record-json.ts';
import { decodeSchedule, decodeTicks, encodeSchedule } from './schedule-records.ts';
import type { Session } from './session.ts';
import { decodeTask } from './task-record.ts';
import { untilKnown } from './until-known.ts';
import { parseSchedulePath, paths } from './znode-paths.ts';
import type { Operation, Znode } from './zookeeper-requests.ts';

/** There are as many schedules as may be. */
export class TooManySchedules extends Error {
  override readonly name = 'TooManySchedules';
}

export interface ChangedSchedule {
  readonly schedule: ScheduleSnapshot;
  readonly created: boolean;
}

/**
 * Makes of a schedule what `change` says. What is so already is not written again, so that an answer that was lost is looked up
 * and the change made again. Throws {@link TooManySchedules}, what `change` throws, and CoordinationError: never once the change
 * stands. It is then told as it was made where it cannot be read again, or is gone by then.
 */
export async function changeSchedule(
  session: Session,
  commits: GroupCommit,
  name: string,
  change: (kept: KeptSchedule | null) => ScheduleRecord,
): Promise<ChangedSchedule> {
  const path = paths.schedule(name);
  let created = false;
  const made = await untilKnown(session, path, async () => {
    const [, znode, ticks] = await Promise.all([session.sync(path), session.getData(path), readTicks(session, name)]);
    const kept = znode && keptOf(znode);
    const record = change(kept);
    if (znode && isDeepStrictEqual(record, kept?.record)) return snapshotOf(name, znode, ticks);
    if (!znode) await requireRoom(session);
    created ||= !znode;
    const data = encodeSchedule(record, znode?.data);
    try {
      await commits.commit([writeOperation(path, data, znode)]);
    } catch (error) {
      if (isRefusal(error, 'node_exists')) created = false;
      if (isRefusal(error, 'no_node')) await createIfMissing(session, paths.schedules); // removed by hand
      throw error;
    }
    const mtime = Date.now();
    return snapshotOf(name, { data, stat: { ctime: znode?.stat.ctime ?? mtime, mtime } }, ticks);
  });
  const schedule = await readSchedule(session, name).catch(ifCoordination);
  return { schedule: schedule ?? made, created };
}

function ifCoordination(error: unknown): null {
  if (error instanceof CoordinationError) return null;
  throw error;
}

function keptOf({ data, stat }: Znode): KeptSchedule {
  const reading = decodeSchedule(data, stat.mtime);
  if (reading.kind === 'schedule') return { record: reading.record, fault: null };
  return { record: null, fault: reading.why, isNewer: reading.isNewer };
}

function writeOperation(path: string, data: Buffer, znode: Znode | null): Operation {
  if (!znode) return { kind: 'create', path, data, mode: 'persistent' };
  return { kind: 'set', path, data, version: znode.stat.version };
}

/** Gateways that do so at the same time may go over the limit by one each. */
async function requireRoom(session: Session): Promise<void> {
  const schedules = await session.exists(paths.schedules);
  if (schedules && schedules.numChildren >= limits.schedulesMax) throw new TooManySchedules();
}

/** With its state, and whatever else somebody put there. False: there is no such schedule. */
export async function removeSchedule(session: Session, commits: GroupCommit, name: string): Promise<boolean> {
  const path = paths.schedule(name);
  let wasThere = false;
  await untilKnown(session, path, async () => {
    const [, found] = await Promise.all([session.sync(path), session.getChildren(path)]);
    if (!found) return;
    wasThere = true;
    const remove = (of: string): Operation => ({ kind: 'remove', path: of, version: null });
    await commits.commit([
      { kind: 'set', path: paths.schedules, data: Buffer.alloc(0), version: null },
      ...found.children.map((child) => remove(`${path}/${child}`)),
      remove(path),
    ]);
  });
  return wasThere;
}

/** As it was at the call, or later; null: there is none. */
export async function readSchedule(session: Session, name: string): Promise<ScheduleSnapshot | null> {
  await session.sync(paths.schedule(name));
  const [schedule, ticks] = await Promise.all([session.getData(paths.schedule(name)), readTicks(session, name)]);
  if (!schedule) return null;
  const snapshot = snapshotOf(name, schedule, ticks);
  return ticks ? { ...snapshot, lastTask: await lastTaskOf(session, name, ticks) } : snapshot;
}

/** The names after `after` of all schedules that there are, in order. */
export async function scheduleNames(session: Session, after: string): Promise<string[]> {
  await session.sync(paths.schedules);
  const children = (await session.getChildren(paths.schedules))?.children ?? [];
  return children.filter((name) => name > after && parseSchedulePath(paths.schedule(name))).sort();
}

/**
 * To be called after a `sync`. For lists: the last task is told only where the state names it, since to look for that of each
 * schedule would be dozens of reads each.
 */
export async function readSynced(session: Session, name: string): Promise<ScheduleSnapshot | null> {
  const [schedule, ticks] = await Promise.all([session.getData(paths.schedule(name)), readTicks(session, name)]);
  return schedule && snapshotOf(name, schedule, ticks);
}

interface FoundTicks {
  /** Null: a newer version of us wrote it. */
  readonly state: TickState | null;
  readonly mzxid: bigint;
}

async function readTicks(session: Session, name: string): Promise<FoundTicks | null> {
  const znode = await session.getData(paths.ticks(name));
  if (!znode) return null;
  const { mtime, mzxid } = znode.stat;
  return { state: isNewer(znode.data) ? null : decodeTicks(znode.data, mtime), mzxid };
}

interface Definition {
  readonly data: Buffer;
  readonly stat: Pick<Znode['stat'], 'ctime' | 'mtime'>;
}

function snapshotOf(name: string, { data, stat }: Definition, ticks: FoundTicks | null): ScheduleSnapshot {
  const reading = decodeSchedule(data, stat.mtime);
  const state = ticks?.state ?? null;
  const known = { name, state, lastTask: state?.lastTask ?? null, createdAt: stat.ctime, updatedAt: stat.mtime };
  if (reading.kind === 'unreadable') {
    return { ...known, record: null, fault: reading.why, isNewer: reading.isNewer, nextRunAt: null };
  }
  if (ticks && !state) return { ...known, record: null, fault: newerTicks, isNewer: true, nextRunAt: null };
  const { record, next } = reading;
  return { ...known, record, fault: null, nextRunAt: nextRunAt(record, state, next) };
}

const newerTicks = 'how far it has come was written by a newer Taskkeeper';

/** Sizes of the groups of numbers that are tried: the leader mostly knew the next one. */
const nearby = [1, 31] as const;

/**
 * The state cannot name the task that was made together with it; it is found by the transaction that made both, among the numbers
 * that came next. Null where it cannot be told so cheaply, or the task is gone.
 */
async function lastTaskOf(session: Session, name: string, { state, mzxid }: FoundTicks): Promise<TaskId | null> {
  if (!state) return null;
  const { at, lastRunAt, lastTask, nextNumber } = state;
  if (lastTask !== null || lastRunAt !== at) return lastTask;
  let number = nextNumber;
  for (const count of nearby) {
    const tasks = Array.from({ length: count }, (_, place) => taskIdOf(number + place));
    const stats = await Promise.all(tasks.map((task) => session.exists(paths.task(task))));
    const madeThen = tasks.filter((_, place) => stats[place]?.czxid === mzxid);
    const found = (await Promise.all(madeThen.map((task) => isOfTick(session, task, name, at)))).indexOf(true);
    if (found >= 0) return madeThen[found] ?? null;
    number += count;
  }
  return null;
}

/** One transaction may have made the tasks of several schedules. */
async function isOfTick(session: Session, task: TaskId, name: string, at: number): Promise<boolean> {
  const znode = await session.getData(paths.task(task));
  const reading = znode && decodeTask(znode.data, znode.stat.ctime);
  return reading?.kind === 'task' && reading.record.schedule?.name === name && reading.record.schedule.at === at;
}

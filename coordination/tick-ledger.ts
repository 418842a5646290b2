// The leading master's writes for schedules: one tick as one atomic unit. That it was handled and the task that it makes are
// committed together, on the condition that the definition and the state are as they were seen, so a tick is handled once,
// whoever leads. `/schedules` is checked as well: it changes with each schedule that is removed, or a tick that was decided from
// one could land on the next of that name, whose version may be the same.

import type { ScheduleRecord } from '../domain/schedule.ts';
import type { TickDecision } from '../domain/schedule-plan.ts';
import type { TaskId } from '../domain/task.ts';
import { parseTaskId } from '../domain/task-id.ts';
import { catchUp } from './catch-up.ts';
import { isRefusal } from './coordination-error.ts';
import type { GroupCommit } from './group-commit.ts';
import { encodeTicks } from './schedule-records.ts';
import type { Session } from './session.ts';
import { encodeTask } from './task-record.ts';
import { stepOver } from './task-sequence.ts';
import { paths } from './znode-paths.ts';
import type { Operation } from './zookeeper-requests.ts';

/** A schedule as it was seen. */
export interface SeenSchedule {
  readonly name: string;
  readonly record: ScheduleRecord;
  readonly version: number;
  /** Of its state; null where it has none yet. */
  readonly ticksVersion: number | null;
  /** Of `/schedules`. */
  readonly rootVersion: number;
}

export interface HandledTick {
  /** Of its state, now. */
  readonly ticksVersion: number;
  /** What it has made, if anything. */
  readonly task: TaskId | null;
}

export class TickLedger {
  readonly #session: Session;
  readonly #commits: GroupCommit;

  /** `commits` carries the guards of the leader. */
  constructor(session: Session, commits: GroupCommit) {
    this.#session = session;
    this.#commits = commits;
  }

  /** Throws CoordinationError; of an unknown outcome the state tells, after {@link catchUp}. */
  async handle(schedule: SeenSchedule, decision: TickDecision, now: number): Promise<HandledTick> {
    const { name, record, version, ticksVersion, rootVersion } = schedule;
    const { state, cancels, outcome, at } = decision;
    const before: Operation[] = [
      { kind: 'check', path: paths.schedules, version: rootVersion },
      { kind: 'check', path: paths.schedule(name), version },
      stateOperation(name, encodeTicks(state), ticksVersion),
      ...cancels.map((task) => cancelOperation(task, name)),
    ];
    const made: Operation[] = outcome === 'made' ? [createOperation(name, record, at, now)] : [];
    try {
      const results = await this.#commits.commit([...before, ...made]);
      const version = results[2]?.stat?.version ?? 0;
      return { ticksVersion: version, task: outcome === 'made' ? createdTask(results.at(-1)?.path ?? null) : null };
    } catch (error) {
      // Somebody has taken the name that comes next: nothing was made, and the next try finds another one.
      if (isRefusal(error, 'node_exists') && error.operationIndex === before.length) await stepOver(this.#session, 1);
      throw error;
    }
  }

  catchUp(): Promise<void> {
    return catchUp(this.#session);
  }
}

function stateOperation(name: string, data: Buffer, version: number | null): Operation {
  const path = paths.ticks(name);
  return version === null ? { kind: 'create', path, data, mode: 'persistent' } : { kind: 'set', path, data, version };
}

function cancelOperation(task: TaskId, schedule: string): Operation {
  const data = Buffer.from(`the next tick of schedule ${schedule} takes its place`);
  return { kind: 'create', path: paths.cancel(task), data, mode: 'persistent' };
}

function createOperation(name: string, { task }: ScheduleRecord, at: number, now: number): Operation {
  const origin = { submitId: null, submittedAt: now, idempotencyKey: null, retryOf: null, batch: null };
  const data = encodeTask({ ...task, ...origin, schedule: { name, at } });
  return { kind: 'create', path: paths.taskPrefix, data, mode: 'sequential' };
}

function createdTask(path: string | null): TaskId | null {
  return parseTaskId(path?.slice(paths.tasks.length + 1) ?? '');
}

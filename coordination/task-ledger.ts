// The leading master's writes: each decision of the planner as one atomic unit. Conditions inside the unit, never reads
// before it, make a decision safe: the task as it was seen, the assignment as it was seen, and, as guards of every
// commit, that we still lead. An outcome is created before its assignment is removed, in that order, so that everybody
// who watches both learns of the outcome first.

import type { AssignDecision } from '../domain/plan.ts';
import type { SettleDecision } from '../domain/settle.ts';
import type { WorkerId } from '../domain/task.ts';
import { catchUp } from './catch-up.ts';
import { CoordinationError } from './coordination-error.ts';
import type { GroupCommit } from './group-commit.ts';
import { isNewer } from './record-json.ts';
import type { Session } from './session.ts';
import { removeKeyOfBatch, removeTask, type TaskRemoval } from './task-removal.ts';
import { paths } from './znode-paths.ts';
import { decodeAssignment, encodeAssignment, encodeAttempt, encodeStatus } from './znode-records.ts';
import { newZnode, type Operation, type Znode } from './zookeeper-requests.ts';

export class TaskLedger {
  readonly #session: Session;
  readonly #commits: GroupCommit;

  /** `commits` carries the guards of the leader. */
  constructor(session: Session, commits: GroupCommit) {
    this.#session = session;
    this.#commits = commits;
  }

  /**
   * `startedAt` in epoch ms. Refused where the worker is gone, or has said something else of itself since it was chosen:
   * once a worker has announced that it drains, nothing new can reach it. Returns the assignment.
   */
  async assign(decision: AssignDecision, startedAt: number): Promise<Znode> {
    const { task, taskVersion, worker, workerVersion, attempt } = decision;
    const data = encodeAssignment({ attempt, startedAt, withdraw: null, progress: null });
    const [, , created] = await this.#commits.commit([
      { kind: 'check', path: paths.task(task), version: taskVersion },
      { kind: 'check', path: paths.worker(worker), version: workerVersion },
      { kind: 'create', path: paths.assignment(worker, task), data, mode: 'persistent' },
    ]);
    if (!created) throw new Error(`no answer for the assignment of ${task}`);
    return newZnode(data, created.zxid, startedAt);
  }

  /** Removes the empty `/assign/<worker>` of a worker that is gone. */
  async removeFolder(worker: WorkerId): Promise<void> {
    await this.#commits.commit([{ kind: 'remove', path: paths.assignments(worker), version: null }]);
  }

  catchUp(): Promise<void> {
    return catchUp(this.#session);
  }

  async settle(decision: SettleDecision): Promise<void> {
    switch (decision.kind) {
      case 'end':
        await this.#commits.commit(await this.#endOperations(decision));
        break;
      case 'release':
        await this.#commits.commit([removeAssignment(decision)]);
        break;
      case 'unblock':
        await this.#unblock(decision);
        break;
      case 'withdraw':
        await this.#withdraw(decision);
        break;
    }
  }

  /** Removes a final task with everything that belongs to it; it may be gone already. Refused where it has no status (any more). */
  async remove(removal: TaskRemoval): Promise<void> {
    const { task } = removal;
    const outcome = await removeTask(this.#session, this.#commits, task, removal);
    if (outcome === 'not final') throw new CoordinationError('no_node', 'not applied', `${paths.status(task)} is gone`);
  }

  /** As {@link removeKeyOfBatch}. */
  removeKey(idempotencyKey: string, czxid: bigint): Promise<void> {
    return removeKeyOfBatch(this.#session, this.#commits, idempotencyKey, czxid);
  }

  async #endOperations(decision: SettleDecision & { kind: 'end' }): Promise<Operation[]> {
    const { task, taskVersion, status, attempt, assignment, forced } = decision;
    const operations: Operation[] = [await this.#taskCondition(task, taskVersion, forced)];
    if (status) {
      operations.push({ kind: 'create', path: paths.status(task), data: encodeStatus(status), mode: 'persistent' });
    }
    if (attempt) {
      const path = paths.attempt(task, attempt.attempt);
      operations.push({ kind: 'create', path, data: encodeAttempt(attempt), mode: 'persistent' });
    }
    if (assignment) operations.push(removeAssignment({ task, assignment }));
    return operations;
  }

  /** By force the unchanged data is set once more: the version grows, and the run's outcome, which checks it, comes too late. */
  async #taskCondition(task: SettleDecision['task'], version: number, forced: boolean): Promise<Operation> {
    const path = paths.task(task);
    if (!forced) return { kind: 'check', path, version };
    const znode = await this.#session.getData(path);
    if (!znode) throw new CoordinationError('no_node', 'not applied', `${path} was deleted`);
    return { kind: 'set', path, data: znode.data, version };
  }

  async #unblock({ task, taskVersion }: SettleDecision & { kind: 'unblock' }): Promise<void> {
    await this.#commits.commit([
      { kind: 'check', path: paths.task(task), version: taskVersion },
      { kind: 'create', path: paths.unblocked(task), data: Buffer.alloc(0), mode: 'persistent' },
    ]);
  }

  async #withdraw({ task, assignment, reason }: SettleDecision & { kind: 'withdraw' }): Promise<void> {
    const path = paths.assignment(assignment.worker, task);
    const znode = await this.#session.getData(path);
    if (!znode || isNewer(znode.data)) return; // ended by itself meanwhile, or is not ours to write
    const data = encodeAssignment({ ...decodeAssignment(znode.data), withdraw: reason }, znode.data);
    await this.#commits.commit([{ kind: 'set', path, data, version: znode.stat.version }]);
  }
}

function removeAssignment({
  task,
  assignment,
}: Pick<SettleDecision & { kind: 'release' }, 'task' | 'assignment'>): Operation {
  return { kind: 'remove', path: paths.assignment(assignment.worker, task), version: assignment.fact.version };
}

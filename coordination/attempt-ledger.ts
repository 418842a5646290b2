// A worker's writes about the attempts that it runs: the outcome and the end of the assignment in one transaction, or
// neither. The transaction checks the version of the task that the run started with and of the assignment as it was
// last seen, so that an outcome never lands on a withdrawn assignment nor on a later one.

import type { AssignmentRecord, AttemptRecord, StatusRecord, TaskId, WorkerId } from '../domain/task.ts';
import type { GroupCommit } from './group-commit.ts';
import { paths } from './znode-paths.ts';
import { encodeAssignment, encodeAttempt, encodeStatus } from './znode-records.ts';
import type { Operation } from './zookeeper-requests.ts';

/** What ties a write to one run. */
export interface AttemptFence {
  readonly task: TaskId;
  readonly taskVersion: number;
  readonly worker: WorkerId;
  readonly assignmentVersion: number;
}

export class AttemptLedger {
  readonly #commits: GroupCommit;

  constructor(commits: GroupCommit) {
    this.#commits = commits;
  }

  /**
   * Records how the attempt ended, `status` where the task ended with it. Refused with `bad_version` or `no_node` when
   * the run is no longer ours to end, with `node_exists` when the task has its outcome already.
   */
  async end(fence: AttemptFence, status: StatusRecord | null, attempt: AttemptRecord | null): Promise<void> {
    const { task } = fence;
    const operations: Operation[] = [{ kind: 'check', path: paths.task(task), version: fence.taskVersion }];
    if (status) {
      operations.push({ kind: 'create', path: paths.status(task), data: encodeStatus(status), mode: 'persistent' });
    }
    if (attempt) {
      const path = paths.attempt(task, attempt.attempt);
      operations.push({ kind: 'create', path, data: encodeAttempt(attempt), mode: 'persistent' });
    }
    await this.#commits.commit([...operations, removal(fence)]);
  }

  /** Gives the task back without an attempt having counted. */
  async handBack(fence: Omit<AttemptFence, 'taskVersion'>): Promise<void> {
    await this.#commits.commit([removal(fence)]);
  }

  /** Writes progress into the assignment; returns the assignment's new version. `previous` is its present data. */
  async report(fence: AttemptFence, record: AssignmentRecord, previous: Buffer): Promise<number> {
    const path = paths.assignment(fence.worker, fence.task);
    const data = encodeAssignment(record, previous);
    const [result] = await this.#commits.commit([{ kind: 'set', path, data, version: fence.assignmentVersion }]);
    return result?.stat?.version ?? fence.assignmentVersion;
  }
}

function removal({ worker, task, assignmentVersion }: Omit<AttemptFence, 'taskVersion'>): Operation {
  return { kind: 'remove', path: paths.assignment(worker, task), version: assignmentVersion };
}

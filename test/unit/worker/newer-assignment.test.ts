// Goal: an outcome never lands on what a newer master wrote into the assignment while it was being recorded, which may be a
// withdrawal: the task is handed back. Method: one real run over a session of the test's own, which changes the assignment at
// the first commit and refuses that, as ZooKeeper does.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AttemptLedger } from '../../../coordination/attempt-ledger.ts';
import { CoordinationError } from '../../../coordination/coordination-error.ts';
import type { GroupCommit } from '../../../coordination/group-commit.ts';
import type { Operation, Znode } from '../../../coordination/zookeeper-requests.ts';
import { createLog } from '../../../runtime/log.ts';
import { HeldAssignment } from '../../../services/worker/held-assignment.ts';
import { type RunContext, runAssignment } from '../../../services/worker/run.ts';
import { taskId, workerId } from '../domain/facts.ts';

const badVersion = -103;
const task = taskId(1);
const [path, taskPath] = [`/assign/w/${task}`, `/tasks/${task}`];

/** Returns the kinds of operations of each commit of a run that is marked with `mark` when it records its outcome. */
async function commitsOfRunMarkedWith(mark: string, taskData: string): Promise<string[]> {
  const znode = (data: string, version: number) =>
    ({ data: Buffer.from(data), stat: { version, czxid: 1n, numChildren: 0, ctime: 0 } }) as Znode;
  const tree = new Map([
    [path, znode('{"v":1,"attempt":1}', 0)],
    [taskPath, znode(taskData, 0)],
  ]);
  const commits: string[] = [];
  const commit = async (operations: readonly Operation[]) => {
    commits.push(operations.map(({ kind }) => kind).join(' '));
    if (tree.get(path)?.stat.version !== 0) return [];
    tree.set(path, znode(mark, 1));
    throw CoordinationError.refused(badVersion, path);
  };
  const context = {
    session: {
      ...{ signal: new AbortController().signal, sync: async () => undefined },
      getData: async (at: string) => tree.get(at) ?? null,
      getChildren: async (at: string) => ({ ...tree.get(at), children: [] }),
    },
    ...{ worker: workerId('w'), ledger: new AttemptLedger({ commit } as unknown as GroupCommit) },
    ...{ reads: { read: async () => tree.get(taskPath) }, registry: { run: async () => 'done' } },
    ...{ log: createLog('test', 'silent'), onAttemptEnded: () => undefined },
  } as unknown as RunContext;
  await runAssignment(context, new HeldAssignment(task, tree.get(path) as Znode));
  return commits;
}

const outcome = 'check create remove';

test('an outcome that meets a mark of a newer version is not recorded: the task is handed back', async () => {
  const mark = '{"v":2,"attempt":1,"withdraw":{"kind":"cancelled"}}';
  assert.deepEqual(await commitsOfRunMarkedWith(mark, '{"v":1,"type":"any"}'), [outcome, 'remove']);
  assert.deepEqual(await commitsOfRunMarkedWith(mark, '{ no task'), [outcome, 'remove']);
});

test('one that meets a change of our own version is recorded', async () => {
  const mark = '{"v":1,"attempt":1,"progress":{"percent":1}}';
  assert.deepEqual(await commitsOfRunMarkedWith(mark, '{"v":1,"type":"any"}'), [outcome, outcome]);
});

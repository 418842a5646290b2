// All rules, applied to a copy of a tree. What is found is true of a copy of one moment, as that of a tree at which nothing
// happens any more. Of a tree that was read while it went on it is no more than a suspicion, which live-audit.ts looks at again. Pure.

import { parseQueuePath, parseSchedulePath } from '../coordination/znode-paths.ts';
import { decodeKey } from '../coordination/znode-records.ts';
import type { Finding } from './finding.ts';
import { assignmentFindings } from './rules/assignments.ts';
import { dependencyFindings } from './rules/dependencies.ts';
import { exclusiveKeyFindings } from './rules/exclusive-keys.ts';
import { leadershipFindings, parentFindings } from './rules/leadership.ts';
import { outcomeFindings } from './rules/outcomes.ts';
import { isKey, isKnownPlace, placeFindings } from './rules/places.ts';
import { queueFindings } from './rules/queues.ts';
import { type QuietWorld, quietRules } from './rules/quiet.ts';
import { backlogFindings, taskRecordFindings } from './rules/records.ts';
import { scheduleFindings } from './rules/schedules.ts';
import { keyFindings, keyZnodeFindings, submitFindings } from './rules/submits.ts';
import { workerFindings } from './rules/workers.ts';
import { type Checked, type Look, lookAt, type Suspect } from './suspicion.ts';
import { lookAtTask, type TaskLook } from './task-look.ts';
import type { SnapshotNode, TreeSnapshot } from './tree-snapshot.ts';
import { holdersIn, TaskGroups, tasksIn, workersIn } from './tree-survey.ts';

export type { QuietWorld };

/** What must hold at every moment, and what is odd. */
export function auditTree(tree: TreeSnapshot): Finding[] {
  const findings: Finding[] = [];
  for (const checked of checksOf(tree)) findings.push(...checked.findings);
  return findings;
}

/** What must hold besides where nothing is under way: no traffic, every process up, and time to put things right. */
export function quietFindings(tree: TreeSnapshot, world: QuietWorld): Finding[] {
  return [...quietRules(tree, world)];
}

/** Everything that there is to be looked at, one thing after the other; mostly nothing is found. */
export function* checksOf(tree: TreeSnapshot): Generator<Checked> {
  const look = lookAt(tree);
  const groups = new TaskGroups();
  yield* taskChecks(tree, groups);
  for (const suspect of otherSuspects(tree, groups)) yield { findings: [...suspect(look)], suspect };
}

/** Each task is decoded once, which is most of the work. */
function* taskChecks(tree: TreeSnapshot, groups: TaskGroups): Generator<Checked> {
  const look = lookAt(tree);
  const holders = holdersIn(tree);
  for (const id of tasksIn(tree)) {
    const task = lookAtTask(look, id);
    if (task) groups.add(task, holders.get(id) ?? []);
    yield {
      findings: [...taskFindings(look, task)],
      suspect: (again) => taskFindings(again, lookAtTask(again, id)),
    };
  }
}

function* taskFindings(look: Look, task: TaskLook | null): Generator<Finding> {
  if (!task) return;
  yield* outcomeFindings(task);
  yield* taskRecordFindings(task);
  yield* keyFindings(look, task);
  yield* dependencyFindings(look, task);
}

function* otherSuspects(tree: TreeSnapshot, groups: TaskGroups): Generator<Suspect> {
  yield leadershipFindings;
  yield parentFindings;
  yield backlogFindings;
  for (const [id, workers] of holdersIn(tree)) yield (look) => assignmentFindings(look, id, workers);
  for (const worker of workersIn(tree)) yield (look) => workerFindings(look, worker);
  for (const group of groups.keyGroups()) yield (look) => exclusiveKeyFindings(look, group);
  for (const [submitId, ids] of groups.submits) {
    if (ids.length > 1) yield (look) => submitFindings(look, submitId, ids);
  }
  for (const [path, node] of tree) yield* placeSuspects(path, node, groups);
}

function* placeSuspects(path: string, { stat, isHidden, data }: SnapshotNode, groups: TaskGroups): Generator<Suspect> {
  const queue = parseQueuePath(path);
  const schedule = parseSchedulePath(path);
  if (queue !== null) yield (look) => queueFindings(look, queue, groups.runsOf(queue));
  if (schedule && !schedule.isTicks) yield (look) => scheduleFindings(look, schedule.schedule);
  if (isKey(path)) {
    const candidates = groups.submits.get(decodeKey(data)?.submitId ?? '') ?? [];
    yield (look) => keyZnodeFindings(look, path, { czxid: stat.czxid, candidates });
  }
  if (isHidden || stat.ephemeralOwner !== 0n || !isKnownPlace(path)) yield (look) => placeFindings(look, path);
}

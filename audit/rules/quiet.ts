// What must hold besides of a system in which nothing is under way any more: no traffic, every process up and time to put things right.
// Whatever is not final then waits for something that is still to come. Pure.

import { leaderOf } from '../../coordination/leader-address.ts';
import { parseObject } from '../../coordination/record-json.ts';
import { paths } from '../../coordination/znode-paths.ts';
import { type Finding, finding } from '../finding.ts';
import { lookAt } from '../suspicion.ts';
import { lookAtTask, type TaskLook } from '../task-look.ts';
import type { TreeSnapshot } from '../tree-snapshot.ts';
import { holdersIn, tasksIn, workersIn } from '../tree-survey.ts';
import { WaitingTasks } from './waiting.ts';

/** What is known beside the tree. */
export interface QuietWorld {
  /** By the clock of the masters, epoch ms: what waits for its time is told by it. */
  readonly now: number;
  /** Sessions of the processes that are alive; null: they are not known, and nothing is said about owners. */
  readonly sessions: ReadonlySet<bigint> | null;
}

export function* quietRules(tree: TreeSnapshot, { now, sessions }: QuietWorld): Generator<Finding> {
  const look = lookAt(tree);
  for (const [task, workers] of holdersIn(tree)) {
    for (const worker of workers) yield finding('quiet-assignment', paths.assignment(worker, task), 'is still there');
  }
  const tasks = tasksIn(tree).map((id) => lookAtTask(look, id));
  const unfinished = tasks.filter((task): task is TaskLook => task !== null && task.status === null);
  const waiting = new WaitingTasks(tree, unfinished, now);
  for (const task of unfinished) {
    const fault = waiting.faultOf(task);
    if (fault !== null) yield finding('quiet-unfinished', task.path, `is not final, and ${fault}`);
  }
  if (sessions) yield* ownerFindings(tree, sessions);
  const master = look(paths.master);
  if (!master || leaderOf(master).kind !== 'ours')
    yield finding('quiet-leader', paths.master, 'is not that of a master of ours');
  // Of a task that may not be read nobody knows whether it is finished.
  if (!tasks.includes(null)) yield* backlogFindings(tree, unfinished.length);
}

function* ownerFindings(tree: TreeSnapshot, sessions: ReadonlySet<bigint>): Generator<Finding> {
  for (const path of [paths.master, ...[...workersIn(tree)].map(paths.worker)]) {
    const owner = tree.get(path)?.stat.ephemeralOwner;
    if (owner !== undefined && !sessions.has(owner)) {
      yield finding('quiet-owner', path, `belongs to session 0x${owner.toString(16)}, which is that of no process`);
    }
  }
}

/** Written a second after the last change at the latest. */
function* backlogFindings(tree: TreeSnapshot, unfinished: number): Generator<Finding> {
  const told = parseObject(tree.get(paths.backlog)?.data.toString('utf8') ?? '')?.['unfinished'];
  if (told === undefined || told === unfinished) return;
  yield finding('quiet-backlog', paths.backlog, `says ${told} unfinished, and ${unfinished} are`);
}

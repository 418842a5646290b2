// All rules, applied to a copy of a tree. What it finds is true of a copy of one moment, as that of a tree at which nothing
// happens any more. Of a tree that was read while it went on it is no more than a suspicion, which live-audit.ts looks at again. Pure.

import { paths } from '../coordination/znode-paths.ts';
import { parseTaskId } from '../domain/task-id.ts';
import type { Finding } from './finding.ts';
import { outcomeFindings } from './rules/outcomes.ts';
import { lookAt, type Suspect, type Suspicion, suspicionOf } from './suspicion.ts';
import { lookAtTask } from './task-look.ts';
import type { TreeSnapshot } from './tree-snapshot.ts';

/** What must hold at every moment, and what is odd. */
export function auditTree(tree: TreeSnapshot): Finding[] {
  return [...suspicionsIn(tree)].flatMap(({ findings }) => findings);
}

/** What else is known of a system in which nothing is under way any more. */
export interface QuietWorld {
  /** By the clock of the masters, epoch ms: what waits for its time is told by it. */
  readonly now: number;
  /** Sessions of the processes that are alive; null: they are not known, and nothing is said about owners. */
  readonly sessions: ReadonlySet<bigint> | null;
}

/** What must hold besides where nothing is under way: no traffic, every process up, and time to put things right. */
export function quietFindings(_tree: TreeSnapshot, _world: QuietWorld): Finding[] {
  return [];
}

export function* suspicionsIn(tree: TreeSnapshot): Generator<Suspicion> {
  const look = lookAt(tree);
  for (const name of look(paths.tasks)?.children ?? []) {
    const id = parseTaskId(name);
    if (!id) continue;
    const suspect: Suspect = (at) => {
      const task = lookAtTask(at, id);
      return task ? outcomeFindings(task) : [];
    };
    const suspicion = suspicionOf(suspect, look);
    if (suspicion) yield suspicion;
  }
}

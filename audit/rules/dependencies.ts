// A task that comes after others: let go when they are over, and not before. Whoever makes `unblocked` by hand lets it go, too, so
// nothing here is a violation by itself. Pure.

import { paths } from '../../coordination/znode-paths.ts';
import { dependenciesOf } from '../../domain/task-id.ts';
import { type Finding, finding } from '../finding.ts';
import type { Look } from '../suspicion.ts';
import type { TaskLook } from '../task-look.ts';

export function* dependencyFindings(look: Look, task: TaskLook): Generator<Finding> {
  const { id, path, record, status, attempts, unblocked } = task;
  if (!record || record.after.length === 0) return;
  const hasRun = attempts.length > 0 || (status?.isOurs && status.record.startedAt !== null);
  if (hasRun && !unblocked) {
    yield finding('ran-before-let-go', path, 'has run, and was not let go by the tasks that it comes after');
  }
  if (!unblocked || unblocked.isHidden) return;
  const unfinished = dependenciesOf(id, record).find((other) => {
    const node = look(paths.task(other));
    const isOpen = node !== null && !node.isHidden && !node.children.includes('status');
    return isOpen && node.stat.czxid < unblocked.stat.czxid;
  });
  if (unfinished)
    yield finding('let-go-early', path, `was let go, and ${unfinished}, which it comes after, is not over`);
}

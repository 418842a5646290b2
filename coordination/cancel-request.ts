// Asking for a task to be cancelled: one znode below it, which anybody may make and which the leading master acts upon.

import type { TaskId } from '../domain/task.ts';
import { isRefusal } from './coordination-error.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Session } from './session.ts';
import { untilKnown } from './until-known.ts';
import { paths } from './znode-paths.ts';

/** Asked already is as good; the first reason stays. False: no such task. Throws {@link CoordinationError}. */
export function requestCancel(session: Session, commits: GroupCommit, id: TaskId, reason: string): Promise<boolean> {
  const path = paths.cancel(id);
  return untilKnown(session, path, async () => {
    try {
      await commits.commit([{ kind: 'create', path, data: Buffer.from(reason), mode: 'persistent' }]);
      return true;
    } catch (error) {
      if (isRefusal(error, 'node_exists')) return true;
      if (isRefusal(error, 'no_node')) return false;
      throw error;
    }
  });
}

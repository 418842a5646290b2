// Lists: which tasks, and in what order, the leading master's index says; what they are like, the ensemble. A task that has
// changed between the two and fits the filter no more is left out, so that an answer never contradicts its request; so is one that
// this gateway cannot read, or it would be in the way of all others.

import { ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import { parsePosition, type TaskFilter } from '../../domain/master-index.ts';
import { fitsFilter } from '../../domain/task-list.ts';
import { type TaskView, taskView } from '../../domain/task-view.ts';
import type { MasterIndex } from './master-index.ts';
import type { TaskStore } from './task-store.ts';

export interface ListOptions {
  readonly filter: TaskFilter;
  /** Tasks in the answer, at least 1; more than limits.listLimitMax counts as that. */
  readonly limit: number;
  /** `nextCursor` of the page before; null: from the newest. */
  readonly cursor: string | null;
  /** How large the answer may become; without it as JSON, and limits.listBytesMax. */
  readonly size?: AnswerSize;
}

export interface AnswerSize {
  /** What a task takes of the answer as it will be sent, in bytes. */
  of(task: TaskView): number;
  /** The first task is in the answer all the same. */
  readonly max: number;
}

export interface TaskPage {
  /** Newest first. */
  readonly tasks: readonly TaskView[];
  /** Opaque; null: this was the last page. */
  readonly nextCursor: string | null;
}

/** Pages of the index that one request may take, where few tasks fit the filter; then its answer is short. */
const indexPagesMax = 10;

const asJson: AnswerSize = { of: (task) => Buffer.byteLength(JSON.stringify(task)), max: limits.listBytesMax };

export async function listTasks(store: TaskStore, index: MasterIndex, options: ListOptions): Promise<TaskPage> {
  const limit = Math.min(options.limit, limits.listLimitMax);
  const size = options.size ?? asJson;
  const tasks: TaskView[] = [];
  let bytes = 0;
  let position = options.cursor === null ? null : positionOf(options.cursor);
  for (let pages = 0; pages < indexPagesMax && tasks.length < limit; pages += 1) {
    const page = await index.tasks(
      options.filter,
      limit - tasks.length,
      position === null ? null : parsePosition(position),
    );
    for (let first = 0; first < page.tasks.length; first += limits.listReadsAtOnce) {
      const indexed = page.tasks.slice(first, first + limits.listReadsAtOnce);
      const snapshots = await Promise.all(indexed.map(({ id }) => store.read(id).catch(ifUnreadable)));
      const now = Date.now();
      for (const [place, snapshot] of snapshots.entries()) {
        const task = snapshot && taskView(snapshot, now);
        const fits = task !== null && fitsFilter(task, options.filter);
        bytes += fits ? size.of(task) : 0;
        if (fits && tasks.length > 0 && bytes > size.max) return { tasks, nextCursor: cursorOf(position) };
        if (fits) tasks.push(task);
        position = indexed[place]?.position ?? position;
      }
    }
    if (page.next === null) return { tasks, nextCursor: null };
    position = page.next;
  }
  return { tasks, nextCursor: cursorOf(position) };
}

function ifUnreadable(error: unknown): null {
  if (error instanceof ServiceError && error.reason === 'task-unreadable') return null;
  throw error;
}

function cursorOf(position: string | null): string | null {
  return position && Buffer.from(position).toString('base64url');
}

function positionOf(cursor: string): string {
  const position = Buffer.from(cursor, 'base64url').toString();
  if (parsePosition(position)) return position;
  throw new ServiceError('invalid-request', 'The cursor is none that a list has answered; begin without one.');
}

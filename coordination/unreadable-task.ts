// A task that is there and that we cannot tell anybody about. It is never taken for less than it is: whoever asks is told so.

import type { TaskId } from '../domain/task.ts';
import { isRefusal } from './coordination-error.ts';
import { isNewer } from './record-json.ts';
import type { Znode } from './zookeeper-requests.ts';

export class UnreadableTask extends Error {
  override readonly name = 'UnreadableTask';

  constructor(
    readonly task: TaskId,
    /** `newer`: a newer version of us wrote it, or of it; `forbidden`: we may not read it, or not all that is below it. */
    readonly why: 'newer' | 'forbidden',
  ) {
    super(`${task} cannot be read (${why})`);
  }
}

/** What is there where it is for us to read, by `isTheirs`; null where nothing is. Throws {@link UnreadableTask}. */
export function readable(task: TaskId, znode: Znode | null, isTheirs = isNewer): Znode | null {
  if (znode && isTheirs(znode.data)) throw new UnreadableTask(task, 'newer');
  return znode;
}

/** The same of what `read` asks for. */
export async function ifAllowed<T>(task: TaskId, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw isRefusal(error, 'no_auth') ? new UnreadableTask(task, 'forbidden') : error;
  }
}

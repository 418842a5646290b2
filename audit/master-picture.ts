// What a master says that it knows (domain/master-picture.ts), put together again, and asked for.

import { get, type IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import {
  type PictureLine,
  type PictureSums,
  type PictureTask,
  type PictureWorker,
  picturePath,
} from '../domain/master-picture.ts';
import type { QueueSettings } from '../domain/queue-settings.ts';
import type { TaskId, WorkerId } from '../domain/task.ts';

export interface MasterPicture {
  readonly leading: boolean;
  /** The time, epoch ms, that states are told of. */
  readonly now: number;
  readonly sums: PictureSums;
  readonly workers: ReadonlyMap<WorkerId, PictureWorker>;
  readonly queues: ReadonlyMap<string, QueueSettings>;
  readonly tasks: ReadonlyMap<TaskId, PictureTask>;
}

/** There is no picture to be had. */
export class NoPicture extends Error {
  override readonly name = 'NoPicture';
}

/** Of `host:port`. Throws {@link NoPicture}. */
export async function fetchPicture(address: string, signal: AbortSignal): Promise<MasterPicture> {
  try {
    const lines = createInterface({ input: await answerOf(`http://${address}${picturePath}`, signal) });
    return await pictureOf(lines);
  } catch (error) {
    throw error instanceof NoPicture ? error : new NoPicture((error as Error).message);
  }
}

function answerOf(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const onAnswer = (response: IncomingMessage) => {
      if (response.statusCode === 200) return resolve(response);
      response.destroy();
      const why = response.statusCode === 503 ? 'it has no complete picture at the moment' : 'it tells none';
      reject(new NoPicture(`${why} (status ${response.statusCode})`));
    };
    get(url, { agent: false, signal }, onAnswer).on('error', reject);
  });
}

/** Throws {@link NoPicture} where it is not whole. */
export async function pictureOf(lines: AsyncIterable<string> | Iterable<string>): Promise<MasterPicture> {
  const workers = new Map<WorkerId, PictureWorker>();
  const queues = new Map<string, QueueSettings>();
  const tasks = new Map<TaskId, PictureTask>();
  let start: (PictureLine & { kind: 'start' }) | null = null;
  for await (const text of lines) {
    const line = JSON.parse(text) as PictureLine;
    if (line.kind === 'start') start = line;
    else if (line.kind === 'worker') workers.set(line.worker.id, line.worker);
    else if (line.kind === 'queue') queues.set(line.name, line.settings);
    else if (line.kind === 'task') tasks.set(line.task.id, line.task);
    else if (start) return { leading: start.leading, now: start.now, sums: start.sums, workers, queues, tasks };
  }
  throw new NoPicture('its answer broke off');
}

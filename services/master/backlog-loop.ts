// Keeps `/backlog` up to date while this master leads: written when the counts have changed, or tasks have come, at most once
// a second.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Backlog, writeBacklog } from '../../coordination/backlog.ts';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import type { GroupCommit } from '../../coordination/group-commit.ts';
import { backlogOf } from '../../domain/backlog-counts.ts';
import type { Picture } from './picture.ts';

const intervalMs = 1000;

/** `onFenced` is told when another master has taken over. */
export async function runBacklog(
  picture: Picture,
  commits: GroupCommit,
  signal: AbortSignal,
  onFenced: () => void,
): Promise<void> {
  let written: string | null = '';
  while (!signal.aborted) {
    const changed = nextChange(picture, signal);
    await picture.sequence.settled();
    const { states, queues } = picture.index;
    const backlog: Backlog = { ...backlogOf(states.counts, queues), next: picture.sequence.readUntil };
    const text = JSON.stringify(backlog);
    if (picture.synced && text !== written) {
      written = await writeBacklog(commits, backlog).then(
        () => text,
        (error: unknown) => {
          if (!(error instanceof CoordinationError)) throw error;
          if (error.code === 'fenced') onFenced();
          return null;
        },
      );
    }
    if (written !== null) await changed; // else it is tried again, unless we do not lead any more
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}

function nextChange(picture: Picture, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      stop();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const stop = picture.onChange(finish);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}

// Keeps `/backlog` up to date while this master leads: written when the counts have changed, or tasks have come, at most once
// a second. Each time it learns what the ensemble's clock says.

import { setTimeout as sleep } from 'node:timers/promises';
import { type Backlog, writeBacklog } from '../../coordination/backlog.ts';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import type { GroupCommit } from '../../coordination/group-commit.ts';
import { backlogOf } from '../../domain/backlog-counts.ts';
import type { ClockWatch } from './clock-watch.ts';
import type { Picture } from './picture.ts';

const intervalMs = 1000;

export interface BacklogLoopOptions {
  readonly picture: Picture;
  readonly commits: GroupCommit;
  readonly clocks: ClockWatch;
  /** Another master has taken over. */
  readonly onFenced: () => void;
}

export async function runBacklog(options: BacklogLoopOptions, signal: AbortSignal): Promise<void> {
  const { picture } = options;
  let written: string | null = '';
  while (!signal.aborted) {
    const changed = nextChange(picture, signal);
    await picture.sequence.settled();
    const { states, queues } = picture.index;
    const backlog: Backlog = { ...backlogOf(states.counts, queues), next: picture.sequence.readUntil };
    const text = JSON.stringify(backlog);
    if (picture.synced && text !== written) written = (await write(options, backlog)) ? text : null;
    if (written !== null) await changed; // else it is tried again, unless we do not lead any more
    await sleep(intervalMs, undefined, { signal }).catch(() => undefined);
  }
}

async function write({ commits, clocks, onFenced }: BacklogLoopOptions, backlog: Backlog): Promise<boolean> {
  const sentAt = Date.now();
  try {
    const stampedAt = await writeBacklog(commits, backlog);
    if (stampedAt !== null) clocks.note(sentAt, stampedAt, Date.now());
    return true;
  } catch (error) {
    if (!(error instanceof CoordinationError)) throw error;
    if (error.code === 'fenced') onFenced();
    return false;
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

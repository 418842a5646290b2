// Signals to a process group, and the question whether anything of it is left. Used by the shell handler and, in its own
// process, by the guardian.

import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { invariant } from '../../../domain/invariant.ts';
import { monotonicMs } from '../../../runtime/clock.ts';

/**
 * `gone`: no such group. `refused`: there is one, but all of it belongs to another user by now (`sudo` in a command), so
 * that we can neither end it nor usefully wait for it.
 */
export type SignalOutcome = 'sent' | 'gone' | 'refused';

export function signalGroup(groupId: number, signal: NodeJS.Signals | 0): SignalOutcome {
  // kill(-1) would be everything that we may signal, kill(-0) our own group.
  invariant(Number.isSafeInteger(groupId) && groupId > 1, `${groupId} is a process group that may be signalled`);
  try {
    process.kill(-groupId, signal);
    return 'sent';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return 'gone';
    if (code === 'EPERM') return 'refused';
    throw error;
  }
}

/** Resolves with true once nothing of the group runs any more, with false after `waitMsMax` or when `giveUp` aborts. */
export async function groupEnded(
  groupId: number,
  waitMsMax = Number.POSITIVE_INFINITY,
  giveUp?: AbortSignal,
): Promise<boolean> {
  const deadline = monotonicMs() + waitMsMax;
  for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 64)) {
    if (signalGroup(groupId, 0) !== 'sent') return true;
    // Zombies can be signalled, and where process 1 does not reap (many containers) an orphan stays one for ever.
    if (pauseMs >= 8 && !(await hasLivingMember(groupId))) return true;
    const leftMs = deadline - monotonicMs();
    if (leftMs <= 0 || giveUp?.aborted) return false;
    await delay(Math.min(pauseMs, leftMs), undefined, giveUp && { signal: giveUp }).catch(() => undefined);
  }
}

async function hasLivingMember(groupId: number): Promise<boolean> {
  const entries = await readdir('/proc').catch(() => null);
  if (entries === null) return true;
  for (const entry of entries) {
    if (/^\d+$/.test(entry) && (await isLivingMember(entry, groupId))) return true;
  }
  return false;
}

/** proc(5): `pid (command) state parent group ...`, and the command may contain anything. */
async function isLivingMember(processId: string, groupId: number): Promise<boolean> {
  const stat = await readFile(`/proc/${processId}/stat`, 'utf8').catch(() => '');
  const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(group) === groupId && state !== 'Z' && state !== 'X';
}

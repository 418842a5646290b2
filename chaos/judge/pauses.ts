// Why a run of a handler may still have gone on when the next one of its task or key had begun. It could not act, and so could not be ended
// either: its process was frozen, or the machine had stopped it, which its own beats tell. (A command of the shell is a process of its own, and is
// ended while its worker is frozen.) Or the master had taken it away by force, and said so. Pure.

import type { Moment } from '../record.ts';
import { allowances } from './allowances.ts';
import type { History } from './history.ts';
import type { Run } from './runs.ts';
import type { KeptTask } from './tasks.ts';

export type Excuse = 'frozen' | 'stalled' | 'taken by force';

interface Pause {
  readonly why: Excuse;
  readonly from: Moment;
  /** By then the process has ended its runs, if it is to. */
  readonly overBy: Moment;
}

/** Null: there is none. */
export function excuseFor(history: History, older: Run, newer: Run): Excuse | null {
  const covers = ({ from, overBy }: Pause) => from < newer.startAt && older.lastAt <= overBy;
  const pause = [...freezes(history, older), ...stalls(older)].find(covers);
  if (pause) return pause.why;
  const task = history.tasks.get(older.task);
  return task && wasTakenByForce(task, older) ? 'taken by force' : null;
}

function* freezes({ tasks, faults }: History, { task, life }: Run): Generator<Pause> {
  if (!life || tasks.get(task)?.record?.type === 'shell') return;
  for (const { fault, from, to } of faults.of(life.id)) {
    if (fault !== 'freeze' && fault !== 'doze') continue;
    yield { why: 'frozen', from: from - allowances.signalMs, overBy: to + allowances.thawMs };
  }
}

/** It ran on right up to the pause, and was ended soon after. */
function* stalls({ times }: Run): Generator<Pause> {
  for (const [place, to] of times.entries()) {
    const from = times[place - 1];
    if (from === undefined || to - from < allowances.stallMs) continue;
    yield { why: 'stalled', from, overBy: to + allowances.stallEndMs };
  }
}

const byForce = 'did not end it when it was told to';

/** The error of the attempt says so; of a cancel only the task's version does, which then grew. */
function wasTakenByForce({ version, status, attempts }: KeptTask, { attempt }: Run): boolean {
  if (version === 0) return false;
  const isCancelled = status?.record.state === 'cancelled' && status.record.attempt === attempt;
  return isCancelled || (attempts.get(attempt)?.record.error?.message.includes(byForce) ?? false);
}

// No process ends by itself: each end was asked for, by a signal that it got, and one that was told to stop stops in good order, with code 0. A server
// of the ensemble may give up where its disk or its quorum is taken from it. Pure.

import type { FaultName, ProcessEvent } from '../../record.ts';
import { allowances } from '../allowances.ts';
import type { FaultSpan } from '../faults.ts';
import { type Finding, type History, line, type Rule } from '../history.ts';
import type { Life } from '../processes.ts';
import type { Tally } from '../verdict.ts';

export const exits: Rule = {
  name: 'exits',
  *check(history, tally) {
    for (const id of history.processes.ids) {
      for (const life of history.processes.livesOf(id)) yield* judged(history, life, tally);
    }
  },
};

const endServers: ReadonlySet<FaultName> = new Set(['kill', 'stop', 'no-quorum', 'disk-full']);

function* judged({ faults, ended }: History, { id, role, from, exit }: Life, tally: Tally): Generator<Finding> {
  if (!exit) return;
  const isOver = exit.at >= (ended[0]?.at ?? Infinity);
  const spans = faults.of(id).filter((span) => span.from >= from && span.from <= exit.at + allowances.signalMs);
  const isYoung = exit.at - from <= allowances.startingMs;
  if (isOver || isExplained(role, exit, spans, isYoung)) tally.add(`ends of a ${role}`);
  else yield { what: `${id} ended with ${endOf(exit)}, and nobody had told it to`, evidence: [line(exit)] };
}

/** One that has only just been started may not listen to signals yet. */
function isExplained(
  role: Life['role'],
  { code, signal }: ProcessEvent,
  spans: readonly FaultSpan[],
  isYoung: boolean,
): boolean {
  const has = (fault: FaultName) => spans.some((span) => span.fault === fault);
  if (role === 'zookeeper') return spans.some(({ fault }) => endServers.has(fault));
  if (signal === 'SIGKILL') return has('kill');
  return has('stop') && (code === 0 || (isYoung && signal === 'SIGTERM'));
}

function endOf({ code, signal }: ProcessEvent): string {
  return signal ?? `code ${code}`;
}

// The guardian: one small process beside each worker with a shell handler, so that no command outlives what entitles it
// to run. It hears on stdin which process groups there are and until when the worker's session can be trusted, and kills
// every group when stdin ends (the worker died, be it by kill -9) or when that time passes without a new one (the worker
// is frozen or cut off). Lines in: `add <group>`, `remove <group>`, `lease <monotonic ms>`; out: `added <group>`,
// `killed <group>`.

import { createInterface } from 'node:readline';
import { monotonicMs } from '../../../runtime/clock.ts';
import { signalGroup } from './process-group.ts';

const timerMsMax = 2 ** 31 - 1;

process.title = 'taskkeeper-guardian';
// A service manager may signal all processes of the worker's service; the guardian is needed until the worker is gone.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
// The worker is gone; the end of stdin says so too.
process.stdout.on('error', () => undefined);

const groups = new Set<number>();
let leaseUntil = Number.POSITIVE_INFINITY;
let timer: NodeJS.Timeout | undefined;

function killAll(): void {
  for (const group of groups) {
    // Before the kill, so that the worker knows the reason by the time it sees the command end.
    process.stdout.write(`killed ${group}\n`);
    signalGroup(group, 'SIGKILL');
  }
  // Killed for certain; their numbers may soon belong to somebody else.
  groups.clear();
}

/**
 * Kills if the lease had passed before all that has arrived was read, and then calls `then`. That this process was given no
 * processor, at whatever moment, is no sign that the worker was not: what it renewed meanwhile is on the pipe.
 */
function enforceLease(then?: () => void): void {
  const now = monotonicMs();
  onceRead(() => {
    clearTimeout(timer);
    // Passed meanwhile: nothing may begin on it, so that is to be known before the answer.
    if (then && leaseUntil > now && leaseUntil <= monotonicMs()) return enforceLease(then);
    if (leaseUntil <= now) killAll();
    else if (leaseUntil !== Number.POSITIVE_INFINITY)
      timer = setTimeout(enforceLease, Math.min(Math.max(leaseUntil - monotonicMs(), 1), timerMsMax));
    then?.();
  });
}

/** The first of two turns may be what remains of one that has read already. */
function onceRead(action: () => void): void {
  setImmediate(() => setImmediate(action));
}

function obey(line: string): void {
  const [verb, number] = line.split(' ');
  const value = Number(number);
  if (verb === 'add') {
    groups.add(value);
    // Nothing begins on a lease that has passed.
    enforceLease(() => {
      if (groups.has(value)) process.stdout.write(`added ${value}\n`);
    });
  } else if (verb === 'remove') {
    groups.delete(value);
  } else if (verb === 'lease') {
    leaseUntil = value;
    enforceLease();
  }
}

createInterface({ input: process.stdin })
  .on('line', obey)
  .on('close', () => {
    killAll();
    process.exit(0);
  });

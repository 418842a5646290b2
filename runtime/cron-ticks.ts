// The ticks of a cron expression in a time zone. croner reads the expression and finds the times on the wall; which instants
// those are is decided here, since at the end of summer time croner goes back in time:
//
// - With an hour that is named, each time comes once: one that the clock is set forward over comes at that moment, one that
//   it shows twice the first time.
// - With an hour field that begins with `*` (each hour, or every so many) the expression fits whenever the clock shows what it
//   says, in the repeated hour too, so that what runs every few minutes goes on doing so.

import type { Cron } from 'croner';
import { limits } from '../domain/limits.ts';
import type { NextTick } from '../domain/schedule.ts';
import { CronFault, parseCron } from './cron-expression.ts';
import { changeBetween, instantOf, type Offset, offsetOf } from './time-zone.ts';

/**
 * Reading an expression takes as long as a hundred of its ticks, to see that one never comes a thousand times as long, and the same
 * ones are read again and again. (A zone that is none is told at once.)
 */
const known = new Map<string, NextTick | CronFault>();
const knownMax = 2 * limits.schedulesMax;

/** Throws {@link CronFault}; also for an expression that no day fits, 30 February say. */
export function cronTicks(cron: string, timeZone: string): NextTick {
  const key = JSON.stringify([timeZone, cron]);
  let ticks = known.get(key);
  if (!ticks) {
    const offset = offsetOf(timeZone);
    if (!offset) throw new CronFault('timeZone', 'is no IANA time zone; UTC and Europe/Berlin are some');
    ticks = ticksOrFault(cron, offset);
    if (known.size >= knownMax) known.clear();
    known.set(key, ticks);
  }
  if (ticks instanceof CronFault) throw ticks;
  return ticks;
}

function ticksOrFault(cron: string, offset: Offset): NextTick | CronFault {
  try {
    return readTicks(cron, offset);
  } catch (error) {
    if (error instanceof CronFault) return error;
    throw error;
  }
}

function readTicks(cron: string, offset: Offset): NextTick {
  const { hour, walls } = parseCron(cron);
  const nextWall = wallTimes(walls);
  if (nextWall(0) === null) throw new CronFault('cron', 'never comes: no day fits it');
  return orNever(hour.startsWith('*') ? everyInstant(nextWall, offset) : onceEach(nextWall, offset));
}

function wallTimes(walls: Cron): NextTick {
  return orNever((after) => walls.nextRun(new Date(after))?.getTime() ?? null);
}

/** croner looks for a day that no month has by recursion, until the stack ends; it and `Intl` throw where `Date` ends. */
function orNever(next: NextTick): NextTick {
  return (after) => {
    try {
      return next(after);
    } catch {
      return null;
    }
  };
}

function onceEach(nextWall: NextTick, offset: Offset): NextTick {
  return (after) => {
    for (let wall = nextWall(after + offset(after)); wall !== null; wall = nextWall(wall)) {
      const instant = instantOf(wall, offset);
      if (instant > after) return instant; // else the clock shows it for the second time
    }
    return null;
  };
}

function everyInstant(nextWall: NextTick, offset: Offset): NextTick {
  return (after) => {
    const before = offset(after);
    const wall = nextWall(after + before);
    if (wall === null) return null;
    const instant = wall - before;
    if (offset(instant) === before) return instant;
    const change = changeBetween(offset, after, instant);
    const wallAfter = nextWall(change - 1 + offset(change));
    return wallAfter === null ? null : wallAfter - offset(change);
  };
}

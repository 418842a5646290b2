// The ticks of a cron expression in a time zone. croner reads the expression and finds the times on the wall; which instants
// those are is decided here, since at the end of summer time croner goes back in time:
//
// - With an hour that is named, each time comes once: one that the clock is set forward over comes at that moment, one that
//   it shows twice the first time.
// - With an hour field that begins with `*` (each hour, or every so many) the expression fits whenever the clock shows what it
//   says, in the repeated hour too, so that what runs every few minutes goes on doing so.

import { Cron } from 'croner';
import { limits } from '../domain/limits.ts';
import type { NextTick } from '../domain/schedule.ts';
import { changeBetween, instantOf, type Offset, offsetOf } from './time-zone.ts';

/** The expression or the zone is none; the message says what is wrong, to follow the name of the field. */
export class CronFault extends Error {
  override readonly name = 'CronFault';

  constructor(
    readonly field: 'cron' | 'timeZone',
    message: string,
  ) {
    super(message);
  }
}

/** Reading an expression takes as long as a hundred of its ticks, and the same ones are read again and again. */
const known = new Map<string, NextTick>();

/** Throws {@link CronFault}; also for an expression that no day fits, 30 February say. */
export function cronTicks(cron: string, timeZone: string): NextTick {
  const key = `${timeZone} ${cron}`;
  const ticks = known.get(key) ?? readTicks(cron, timeZone);
  if (known.size >= limits.schedulesMax) known.clear();
  known.set(key, ticks);
  return ticks;
}

function readTicks(cron: string, timeZone: string): NextTick {
  const offset = offsetOf(timeZone);
  if (!offset) throw new CronFault('timeZone', 'is no IANA time zone; UTC and Europe/Berlin are some');
  const nextWall = wallTimes(cron);
  if (nextWall(0) === null) throw new CronFault('cron', 'never comes: no day fits it');
  const hour = cron.trim().split(/\s+/).at(-4) ?? '';
  return hour.startsWith('*') ? everyInstant(nextWall, offset) : onceEach(nextWall, offset);
}

function wallTimes(cron: string): NextTick {
  const fields = cron.trim().split(/\s+/).length;
  if (fields !== 5 && fields !== 6) {
    const shape = 'five fields (minute hour day month weekday), or six with the second before them';
    throw new CronFault('cron', `must have ${shape}; it has ${fields}`);
  }
  const expression = parsed(cron);
  return (after) => {
    try {
      return expression.nextRun(new Date(after))?.getTime() ?? null;
    } catch (error) {
      if (error instanceof RangeError) return null; // it looks for a day that no month has by recursion, until the stack ends
      throw error;
    }
  };
}

function parsed(cron: string): Cron {
  try {
    return new Cron(cron, { utcOffset: 0, mode: '5-or-6-parts', paused: true });
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
    throw new CronFault('cron', `is no cron expression: ${why}`);
  }
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

// The clock on the wall of an IANA time zone. A wall time is written as the epoch ms that the same digits would be in UTC.

const dayMs = 86_400_000;

/** What an instant is on the wall, less the instant, in ms. */
export type Offset = (instant: number) => number;

/** Null for what is no time zone. */
export function offsetOf(timeZone: string): Offset | null {
  if (/^(Etc\/)?(UTC|GMT)$/i.test(timeZone)) return () => 0;
  const format = formatOf(timeZone);
  if (!format) return null;
  return (instant) => {
    const second = Math.floor(instant / 1000) * 1000;
    const digits: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(second)) digits[type] = Number(value);
    const { year = 0, month = 0, day = 0, hour = 0, minute = 0 } = digits;
    return Date.UTC(year, month - 1, day, hour, minute, digits['second']) - second;
  };
}

/** Null for a name that Intl does not know, or that is an offset. */
function formatOf(timeZone: string): Intl.DateTimeFormat | null {
  if (!/^[A-Za-z]/.test(timeZone)) return null;
  const numeric = 'numeric';
  try {
    return new Intl.DateTimeFormat('en-US', {
      ...{ timeZone, hourCycle: 'h23', calendar: 'gregory', numberingSystem: 'latn' },
      ...{ year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric },
    });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** The first instant after `from` at which the offset is that of `to`; there is one change between them. */
export function changeBetween(offset: Offset, from: number, to: number): number {
  const after = offset(to);
  let low = from;
  let high = to;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offset(middle) === after) high = middle;
    else low = middle;
  }
  return high;
}

/** The first instant that shows `wall`; where the clock is set forward over it, the moment at which that happens. */
export function instantOf(wall: number, offset: Offset): number {
  const [before, after] = [offset(wall - dayMs), offset(wall + dayMs)];
  for (const candidate of [wall - before, wall - after]) {
    if (candidate + offset(candidate) === wall) return candidate;
  }
  return changeBetween(offset, wall - dayMs, wall + dayMs);
}

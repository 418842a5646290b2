// RFC 3339 date-times, strictly: `2026-01-31T09:30:00.5+01:00`. Date.parse alone takes far more than that, and turns 31
// February into March. A leap second (`:60`) is refused, since epoch milliseconds cannot hold it.

const dateTime =
  /^(\d{4}-\d{2}-\d{2})[Tt]((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,12}))?(?:[Zz]|([+-])([01]\d|2[0-3]):([0-5]\d))$/;

/** Epoch milliseconds, fractions of them cut; null for anything that is no RFC 3339 date-time. */
export function parseRfc3339(text: string): number | null {
  const match = dateTime.exec(text);
  if (!match) return null;
  const [, date, time, fraction = '', sign, offsetHours = '0', offsetMinutes = '0'] = match;
  const local = Date.parse(`${date}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}Z`);
  const isRealDay = !Number.isNaN(local) && new Date(local).toISOString().startsWith(`${date}`);
  if (!isRealDay) return null;
  const offsetMs = (Number(offsetHours) * 60 + Number(offsetMinutes)) * 60_000;
  return sign === '-' ? local + offsetMs : local - offsetMs;
}

export { timestampText as formatRfc3339 } from '../../domain/timestamp.ts';

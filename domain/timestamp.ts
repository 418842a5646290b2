// Times as text: RFC 3339 in UTC with milliseconds, which people can read at a zkCli prompt. It has years of four digits.
// Anybody may write any time into the tree, and sums of those with durations may lie beyond: they are taken for the nearest
// time that can be written, since `Date` throws at some and writes others in a way that few can read. Pure.

const earliest = Date.parse('0001-01-01T00:00:00.000Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');

/** The nearest moment, epoch ms, that RFC 3339 can write. */
export function writableTime(epochMs: number): number {
  return Math.min(latest, Math.max(earliest, epochMs));
}

export function timestampText(epochMs: number): string {
  return new Date(writableTime(epochMs)).toISOString();
}

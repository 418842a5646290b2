// Times as text: RFC 3339 in UTC with milliseconds, which people can read at a zkCli prompt. It has years of four digits.
// Anybody may write any time into the tree, and sums of those with durations may lie beyond: they are taken for the nearest
// time that can be written, since `Date` throws at some and writes others in a way that few can read. Pure.

const earliest = Date.parse('0001-01-01T00:00:00.000Z');
const latest = Date.parse('9999-12-31T23:59:59.999Z');

/** The nearest moment, epoch ms, that RFC 3339 can write. */
export function writableTime(epochMs: number): number {
  return Math.min(latest, Math.max(earliest, epochMs));
}

/** The text of a second, kept for the next time of the same second: records are written many in a second. A cache that nobody can observe: the text is the same without it. */
let known = { second: Number.NaN, text: '' };

export function timestampText(epochMs: number): string {
  const at = Math.trunc(writableTime(epochMs));
  const second = Math.floor(at / 1000);
  if (second !== known.second) known = { second, text: new Date(second * 1000).toISOString().slice(0, -'000Z'.length) };
  return `${known.text}${String(at - second * 1000).padStart(3, '0')}Z`;
}

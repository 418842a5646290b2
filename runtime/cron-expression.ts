// What a cron expression is, and what is wrong with one that is none, in our words: croner's name fields by numbers and
// show expressions half translated.

import { Cron } from 'croner';

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

export interface CronExpression {
  readonly hour: string;
  /** Of times on the wall, as if they were UTC. */
  readonly walls: Cron;
}

const nicknames = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@hourly', '0 * * * *'],
]);

const second = { name: 'second', takes: '0 to 59' };
const fiveFields = [
  { name: 'minute', takes: '0 to 59' },
  { name: 'hour', takes: '0 to 23' },
  { name: 'day of month', takes: '1 to 31, L or 15W' },
  { name: 'month', takes: '1 to 12 or JAN to DEC' },
  { name: 'weekday', takes: '0 to 7, SUN to SAT, FRI#2 or FRI#L' },
];

/** Throws {@link CronFault}. */
export function parseCron(cron: string): CronExpression {
  const text = cron.trim();
  const expression = nicknames.get(text.toLowerCase()) ?? text;
  const fields = expression.split(/\s+/).filter((field) => field !== '');
  if (expression.startsWith('@')) {
    throw new CronFault('cron', `is none of the nicknames, which are ${[...nicknames.keys()].join(', ')}`);
  }
  if (fields.length !== 5 && fields.length !== 6) {
    const shape = 'five fields (minute hour day month weekday), or six with the second before them';
    throw new CronFault('cron', `must have ${shape}; it has ${fields.length || 'none'}`);
  }
  const walls = read(fields);
  if (!walls) throw new CronFault('cron', `is no cron expression: ${faultOf(fields)}`);
  return { hour: fields.at(-4) ?? '', walls };
}

/** Null: it is none. */
function read(fields: readonly string[]): Cron | null {
  try {
    return new Cron(fields.join(' '), { utcOffset: 0, mode: '5-or-6-parts', paused: true });
  } catch {
    return null;
  }
}

/** The first field that is faulty in an expression with nothing else in it. */
function faultOf(fields: readonly string[]): string {
  const known = fields.length === 6 ? [second, ...fiveFields] : fiveFields;
  const place = fields.findIndex((field, at) => !read(fields.map((_, other) => (other === at ? field : '*'))));
  const { name, takes } = known[place] ?? { name: 'fields', takes: '' };
  const detail = `its ${name} is ${JSON.stringify(fields[place])}, which has to be *, or of ${takes}`;
  return `${detail}: one, a list 1,15, a range 9-17, or a step */5 or 9-17/2`;
}

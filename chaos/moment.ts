// The clock of the record (record.ts): one for all processes of the machine, and nobody can set it.

import type { Moment } from './record.ts';

export function now(): Moment {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

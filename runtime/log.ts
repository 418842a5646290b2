// One structured log for every process: JSON lines on stdout, one object a line, no secrets and no payloads.

import { type Logger, pino } from 'pino';

export type Log = Logger;

/** `process` is the role and id that every line carries; `level` one of pino's names. */
export function createLog(process: string, level: string): Log {
  return pino({ level, base: { process }, timestamp: pino.stdTimeFunctions.isoTime });
}

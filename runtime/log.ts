// One structured log for every process: JSON lines on stdout, one object a line, no secrets and no payloads.

import { type DestinationStream, type Logger, pino } from 'pino';

export type Log = Logger;

/** `process` is the role and id that every line carries; `level` one of pino's names. */
export function createLog(processName: string, level: string, destination: DestinationStream = stdout()): Log {
  const options = { level, base: { process: processName }, timestamp: pino.stdTimeFunctions.isoTime };
  return pino(options, destination);
}

function stdout(): DestinationStream {
  // A reader that goes away is no reason to fail, and no line can be written about it.
  if (process.stdout.listenerCount('error') === 0) process.stdout.on('error', () => undefined);
  // pino's own destination tries for ever, at exit, to write what nobody reads any more: the process would never end.
  return process.stdout;
}

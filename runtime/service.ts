// The life of a process, the same for all three services: configuration in, a log, a signal to stop cleanly, and an exit
// code that a supervisor can rely on: 0 stopped as asked, 1 a bug or a failure (the supervisor starts a clean one), 78 bad
// configuration (starting it again is no use), 130 or 143 ended at once by a second signal.

import type { ProcessConfig } from './config.ts';
import { BadConfiguration, type Environment } from './environment.ts';
import { createLog, type Log } from './log.ts';

export interface ServiceOptions<Config extends ProcessConfig> {
  /** `gateway`, `master`, `worker`. */
  readonly role: string;
  readonly readConfig: (env: Environment) => Config;
  /** What each line of the log carries as `process`; default the role. */
  readonly processName?: (config: Config) => string;
  /** A clean stop that takes longer than this is cut off with exit code 1. */
  readonly stopMsMax?: number | ((config: Config) => number);
}

export interface ServiceContext<Config> {
  readonly config: Config;
  readonly log: Log;
  /** Aborted by SIGTERM or SIGINT; the reason is the signal's name. */
  readonly stop: AbortSignal;
}

const exitCodes = { clean: 0, failure: 1, badConfig: 78, SIGINT: 130, SIGTERM: 143 } as const;
type StopSignal = 'SIGINT' | 'SIGTERM';

/**
 * Runs `main` and ends the process when it settles. `main` works until `stop` is aborted, then closes what it opened and
 * returns; what it throws is a failure of the process, a BadConfiguration one of its configuration.
 */
export async function runService<Config extends ProcessConfig>(
  options: ServiceOptions<Config>,
  main: (context: ServiceContext<Config>) => Promise<void>,
): Promise<never> {
  const config = readConfigOrExit(options);
  const log = createLog(options.processName?.(config) ?? options.role, config.logLevel);
  const fail = (error: unknown, message: string): never => {
    log.fatal({ err: error }, message);
    process.exit(exitCodes.failure);
  };
  process.on('uncaughtException', (error) => fail(error, 'uncaught exception'));
  process.on('unhandledRejection', (error) => fail(error, 'unhandled rejection'));
  const { stopMsMax = null } = options;
  const stop = stopOnSignals(log, typeof stopMsMax === 'function' ? stopMsMax(config) : stopMsMax);
  // A moment with no socket and no timer open is no reason to exit: only `main` says when it is over.
  setInterval(() => undefined, 2 ** 30);
  try {
    await main({ config, log, stop });
  } catch (error) {
    if (error instanceof BadConfiguration) exitBadConfig(options.role, error);
    fail(error, `the ${options.role} failed`);
  }
  log.info(`the ${options.role} has stopped`);
  process.exit(exitCodes.clean);
}

function readConfigOrExit<Config extends ProcessConfig>({ role, readConfig }: ServiceOptions<Config>): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof BadConfiguration)) throw error;
    return exitBadConfig(role, error);
  }
}

function exitBadConfig(role: string, error: BadConfiguration): never {
  process.stderr.write(`taskkeeper ${role}: bad configuration\n${error.message.replace(/^/gm, '  ')}\n`);
  process.exit(exitCodes.badConfig);
}

function stopOnSignals(log: Log, stopMsMax: number | null): AbortSignal {
  const controller = new AbortController();
  const onSignal = (name: StopSignal) => {
    if (controller.signal.aborted) {
      log.warn(`${name} again: stopping at once`);
      process.exit(exitCodes[name]);
    }
    log.info(`${name}: stopping`);
    controller.abort(name);
    if (stopMsMax !== null) setTimeout(cutOff, stopMsMax).unref();
  };
  const cutOff = () => {
    log.error(`not stopped after ${stopMsMax} ms: giving up`);
    process.exit(exitCodes.failure);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return controller.signal;
}

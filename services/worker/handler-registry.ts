// All handlers of one worker: the built-in ones and the modules of HANDLERS_DIR, found and checked at start. Running a task
// is one call here; what kind of handler it meets, and where that runs, is nobody else's affair. Knows nothing of
// ZooKeeper but the lease that it passes to the guardian of shell commands.

import type { Json } from '../../domain/task.ts';
import { BadConfiguration } from '../../runtime/environment.ts';
import type { Log } from '../../runtime/log.ts';
import { echoHandler } from './handlers/echo.ts';
import { Guardian } from './handlers/guardian.ts';
import type { Handler, HandlerContext } from './handlers/handler.ts';
import { threadEnvironment } from './handlers/handler-environment.ts';
import { failureOf, HandlerFailure } from './handlers/handler-failure.ts';
import { handlerLimits } from './handlers/handler-limits.ts';
import { findHandlerModules } from './handlers/handler-modules.ts';
import { resultText } from './handlers/handler-result.ts';
import { HandlerThreads } from './handlers/handler-threads.ts';
import { httpHandler } from './handlers/http.ts';
import { allowedHosts } from './handlers/http-hosts.ts';
import { OutputPipes } from './handlers/output-pipes.ts';
import { shellHandler } from './handlers/shell.ts';
import { sleepHandler } from './handlers/sleep.ts';

/** Also where a worker does not run them: a module of such a name would get tasks that were meant for the built-in. */
const builtInTypes: readonly string[] = ['echo', 'http', 'shell', 'sleep'];

export interface HandlerRegistryConfig {
  readonly handlersDir: string | null;
  /** True lets tasks run commands on this host. */
  readonly shellHandler: boolean;
  /** Hosts that `http` may call; with none there is no such handler. */
  readonly httpHandlerHosts: readonly string[];
  /** Runs at a time, and so threads at a time. */
  readonly concurrency: number;
  readonly log: Log;
  /** From the abort of a user's handler to the end of its thread by force. */
  readonly abortGraceMs?: number;
  readonly threadHeapMb?: number;
  /** Default: the environment of this process. */
  readonly environment?: NodeJS.ProcessEnv;
}

export interface HandlerRegistry {
  /** What this worker can run. */
  readonly types: readonly string[];
  /**
   * Runs one attempt. Settles when nothing of it goes on any more; rejects with a HandlerFailure, or with anything once
   * `context.signal` was aborted. The result is JSON within the limits.
   */
  readonly run: (type: string, payload: Json, context: HandlerContext) => Promise<Json>;
  /** Until when (monotonicMs) the session can be trusted: shell commands are dead by then unless this is called again. */
  readonly renewLease: (untilMs: number) => void;
  /** The guardian's process, null where there is none now. */
  readonly guardianProcessId: () => number | null;
  /** Ends the threads and whatever else still runs. */
  readonly close: () => Promise<void>;
}

/** The settings or modules cannot be used; a sentence for each fault. */
export class HandlerSetupError extends BadConfiguration {
  override readonly name = 'HandlerSetupError';

  constructor(readonly faults: readonly string[]) {
    super(faults.join('\n'));
  }
}

/** Rejects with a {@link HandlerSetupError} that names all faults of the settings and modules at once. */
export async function createHandlerRegistry(config: HandlerRegistryConfig): Promise<HandlerRegistry> {
  const environment = config.environment ?? process.env;
  const hosts = allowedHosts(config.httpHandlerHosts);
  const modules = config.handlersDir
    ? await findHandlerModules(config.handlersDir, builtInTypes)
    : { paths: new Map<string, string>(), faults: [] };
  const threads = new HandlerThreads({
    threadsMax: config.concurrency,
    abortGraceMs: config.abortGraceMs ?? handlerLimits.threadAbortGraceMs,
    heapMb: config.threadHeapMb ?? handlerLimits.threadHeapMb,
    env: threadEnvironment(environment),
    log: config.log,
  });
  const faults = [...hosts.faults, ...modules.faults, ...(await loadFaults(modules.paths, threads))];
  if (faults.length > 0) {
    await threads.close();
    throw new HandlerSetupError(faults);
  }

  const shell = config.shellHandler ? { guardian: new Guardian(config.log), pipes: new OutputPipes(config.log) } : null;
  shell?.guardian.start();
  const handlers = new Map<string, Handler>([
    ['echo', checked(echoHandler)],
    ['sleep', checked(sleepHandler)],
  ]);
  if (config.httpHandlerHosts.length > 0) handlers.set('http', checked(httpHandler(hosts)));
  if (shell) handlers.set('shell', checked(shellHandler(shell.guardian, shell.pipes, environment)));
  for (const [type, path] of modules.paths) {
    handlers.set(type, (payload, context) => threads.run(path, payload, context));
  }
  return registryOf(handlers, threads, shell);
}

function registryOf(
  handlers: ReadonlyMap<string, Handler>,
  threads: HandlerThreads,
  shell: { readonly guardian: Guardian; readonly pipes: OutputPipes } | null,
): HandlerRegistry {
  return {
    types: [...handlers.keys()],
    run: async (type, payload, context) => {
      const handler = handlers.get(type);
      if (!handler) throw new HandlerFailure('handler_error', `this worker has no handler for "${type}"`);
      return handler(payload, context);
    },
    renewLease: (untilMs) => shell?.guardian.renewLease(untilMs),
    guardianProcessId: () => shell?.guardian.processId ?? null,
    close: async () => {
      await Promise.all([threads.close(), shell?.guardian.close()]);
      shell?.pipes.close();
    },
  };
}

/** The result of a user's module is checked in its thread; that of a built-in here. */
function checked(handler: Handler): Handler {
  return async (payload, context) => {
    const result = await handler(payload, context);
    resultText(result);
    return result;
  };
}

/** One after the other: a burst of threads at start would cost more than it saves. */
async function loadFaults(paths: ReadonlyMap<string, string>, threads: HandlerThreads): Promise<string[]> {
  const faults: string[] = [];
  for (const path of paths.values()) {
    try {
      await threads.check(path);
    } catch (error) {
      faults.push(
        `HANDLERS_DIR: ${path}: ${failureOf(error).message}; mend it, or move what is no handler into a folder below`,
      );
    }
  }
  return faults;
}

// Everything that ends `npm start`: Ctrl-C and SIGTERM, a terminal or a pipe that was closed, npm itself gone, or a process
// that cannot be kept running. The first request stops all cleanly; a second signal ends it at once.

export interface StopReason {
  readonly exitCode: number;
  readonly reason: string;
}

export interface StopRequest {
  readonly signal: AbortSignal;
  readonly requested: Promise<StopReason>;
  /** Only the first counts. */
  request(reason: StopReason): void;
  onSecond(killAll: () => void): void;
}

/** Ctrl-C in a terminal comes twice, from the terminal and from npm, which passes its own on: that is one request. */
const echoMs = 1000;

export function stopRequest(): StopRequest {
  const controller = new AbortController();
  let firstSignalAt = Number.NEGATIVE_INFINITY;
  let killAll: () => void = () => undefined;
  const requested = new Promise<StopReason>((resolve) => {
    controller.signal.addEventListener('abort', () => resolve(controller.signal.reason), { once: true });
  });
  const request = (reason: StopReason) => controller.abort(reason);
  const onSignal = (name: NodeJS.Signals) => {
    if (!controller.signal.aborted) {
      firstSignalAt = performance.now();
      return request({ exitCode: 0, reason: name === 'SIGINT' ? 'Ctrl-C' : name });
    }
    if (performance.now() - firstSignalAt < echoMs) return;
    killAll();
    process.exit(name === 'SIGINT' ? 130 : 143);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('SIGHUP', () => request({ exitCode: 0, reason: 'The terminal was closed' }));
  process.stdout.on('error', () => request({ exitCode: 0, reason: 'Nobody reads the output any more' }));
  watchNpm(() => request({ exitCode: 1, reason: 'npm has gone' }));
  return {
    signal: controller.signal,
    requested,
    request,
    onSecond: (kill) => {
      killAll = kill;
    },
  };
}

/** A npm that is killed with -9 cannot tell: its child is given another parent. */
function watchNpm(onGone: () => void): void {
  const { ppid } = process;
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const timer = setInterval(() => process.ppid !== ppid && onGone(), 1000);
  timer.unref();
}

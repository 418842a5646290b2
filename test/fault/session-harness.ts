// Sessions for tests of the coordination layer: opened on any ports of this machine, closed with the test, their log kept
// for a look; and waits that end with an error of their own when what they wait for does not come.

import { Writable } from 'node:stream';
import { pino } from 'pino';
import { Session, type SessionOptions, type SessionState } from '../../coordination/session.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import { onCleanup, type TestScope } from '../support/cleanup.ts';

/** Something that listens: a server, a fault proxy. */
export interface Reachable {
  readonly port: number;
}

export interface TestSession {
  readonly session: Session;
  /** Parsed log lines. */
  readonly logs: { readonly msg: string; readonly [field: string]: unknown }[];
  /** Every state that it announced, from its first connection on, with the time (monotonic ms). */
  readonly states: { readonly state: SessionState; readonly at: number }[];
}

export interface TestSessionOptions extends Partial<SessionOptions> {
  /** False: returns without waiting for the first connection. */
  readonly connected?: boolean;
}

const waitMsDefault = 10_000;

/** By default a session of one second, connected when this resolves. */
export async function openSession(
  scope: TestScope,
  servers: Reachable | readonly Reachable[],
  { connected = true, ...options }: TestSessionOptions = {},
): Promise<TestSession> {
  const logs: TestSession['logs'] = [];
  const session = new Session({ ...sessionOptions(servers, logs), ...options });
  onCleanup(scope, () => session.close());
  const states: TestSession['states'] = [];
  session.onState((state) => states.push({ state, at: monotonicMs() }));
  if (connected) await reached(session, 'connected');
  return { session, logs, states };
}

export function sessionOptions(
  servers: Reachable | readonly Reachable[],
  logs: TestSession['logs'] = [],
): SessionOptions {
  const list = Array.isArray(servers) ? (servers as readonly Reachable[]) : [servers as Reachable];
  const stream = new Writable({
    write(line: Buffer, _encoding, done) {
      logs.push(JSON.parse(line.toString()));
      done();
    },
  });
  return {
    servers: list.map(({ port }) => ({ host: '127.0.0.1', port })),
    sessionTimeoutMs: 1000,
    chroot: '',
    tls: null,
    digest: null,
    log: pino({ level: 'debug', base: null }, stream),
  };
}

/** Resolves at once or with the next change to `state`. */
export function reached(session: Session, state: SessionState, timeoutMs = waitMsDefault): Promise<void> {
  const seen = new Promise<void>((resolve) => {
    if (session.state === state) resolve();
    const stop = session.onState((now) => {
      if (now !== state) return;
      stop();
      resolve();
    });
  });
  return within(seen, `the session is ${state}`, timeoutMs);
}

/** Resolves with the next change to `state`, whatever it is now. */
export function next(session: Session, state: SessionState, timeoutMs = waitMsDefault): Promise<void> {
  const seen = new Promise<void>((resolve) => {
    const stop = session.onState((now) => {
      if (now !== state) return;
      stop();
      resolve();
    });
  });
  return within(seen, `the session becomes ${state}`, timeoutMs);
}

/** When `signal` aborted (monotonic ms). */
export function aborted(signal: AbortSignal, timeoutMs = waitMsDefault): Promise<number> {
  const seen = new Promise<number>((resolve) => {
    if (signal.aborted) resolve(monotonicMs());
    else signal.addEventListener('abort', () => resolve(monotonicMs()), { once: true });
  });
  return within(seen, 'the signal aborts', timeoutMs);
}

/** When the znode was seen to be gone (monotonic ms), on `observer`'s own link. */
export async function gone(observer: Session, path: string): Promise<number> {
  for (;;) {
    let onChange: () => void = () => undefined;
    const changed = new Promise<void>((resolve) => {
      onChange = resolve;
    });
    if ((await observer.watch(path, onChange).stat) === null) return monotonicMs();
    await within(changed, `${path} goes`);
  }
}

/** The promise's value, or an error that says what did not come in time. */
export async function within<T>(promise: Promise<T>, what: string, timeoutMs = waitMsDefault): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${timeoutMs} ms: ${what}`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function create(path: string, data = '', mode: 'persistent' | 'ephemeral' | 'sequential' = 'persistent') {
  return { kind: 'create', path, data: Buffer.from(data), mode } as const;
}

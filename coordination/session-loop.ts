// A process outlives its sessions: this runs a body once for each session, one after the other, until told to stop.
// The body holds everything that belongs to the session and ends when `session.signal` aborts; it can leave early by
// returning, after which the session is closed so that its ephemerals go at once.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../runtime/log.ts';
import { CoordinationError, isRefusal } from './coordination-error.ts';
import { Session, type SessionOptions } from './session.ts';

/** Between two sessions of which the first failed; long enough not to hammer, short beside a session timeout. */
const pauseMs = 250;
/** The same where we are not allowed to be here, or to do what we have to: somebody has to mend that first. */
const forbiddenPauseMs = 2000;
const stillConnectingMs = 10_000;

/** Runs `body` session after session until `signal` aborts. Rejects only for bugs: what is no CoordinationError. */
export async function runSessions(
  options: SessionOptions,
  signal: AbortSignal,
  body: (session: Session) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const session = new Session(options);
    let restMs = 0;
    try {
      if (await connected(session, options, signal)) await body(session);
      else restMs = forbiddenPauseMs;
    } catch (error) {
      if (!(error instanceof CoordinationError)) throw error;
      if (!session.signal.aborted) logFailure(options.log, error);
      restMs = isRefusal(error, 'no_auth') ? forbiddenPauseMs : pauseMs;
    } finally {
      await session.close();
    }
    if (restMs > 0) await sleep(restMs, undefined, { signal }).catch(() => undefined);
  }
}

function logFailure(log: Log, error: CoordinationError): void {
  const why = isRefusal(error, 'no_auth')
    ? 'ZooKeeper does not allow what this process needs: is ZOOKEEPER_DIGEST_FILE that of the tree? Trying again'
    : 'starting over with a new ZooKeeper session';
  log.error({ err: error }, why);
}

/** Resolves with true once the session is there, with false when it is not wanted any more. */
function connected(session: Session, options: SessionOptions, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const servers = options.servers.map(({ host, port }) => `${host}:${port}`).join(',');
    const warning = setInterval(() => {
      options.log.warn({ servers }, 'no ZooKeeper server answers yet; is ZOOKEEPER_CONNECT right and the ensemble up?');
    }, stillConnectingMs);
    const finish = () => {
      clearInterval(warning);
      signal.removeEventListener('abort', finish);
      stop();
      resolve(session.state === 'connected' && !signal.aborted);
    };
    const stop = session.onState(finish);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}

// The fleet's own eyes: sessions straight to the ensemble, past every proxy, one after the other for as long as the fleet is there. While the
// ensemble has no quorum, or a new session is being opened, it sees nothing and says so.

import { LeaderAddress } from '../../coordination/leader-address.ts';
import type { Session } from '../../coordination/session.ts';
import { runSessions } from '../../coordination/session-loop.ts';
import { sessionOptions } from '../../coordination/session-options.ts';
import { aborted } from '../../runtime/aborted.ts';
import { createLog } from '../../runtime/log.ts';
import { parseConnectString } from '../../runtime/zookeeper-config.ts';
import { onCleanup, type TestScope } from '../../test/support/cleanup.ts';

const sessionMs = 6000;

export class Observer {
  #session: Session | null = null;
  #leader: LeaderAddress | null = null;

  constructor(scope: TestScope, connectString: string, sessionTimeoutMs = sessionMs) {
    const connect = parseConnectString(connectString);
    if (!connect) throw new Error(`${connectString} is no connect string`);
    const stop = new AbortController();
    const config = { connect, sessionTimeoutMs, tls: null, digest: null };
    const options = sessionOptions(config, createLog('fleet', 'silent'));
    const over = runSessions(options, stop.signal, (session) => this.#observe(session, stop.signal));
    onCleanup(scope, () => {
      stop.abort();
      return over;
    });
  }

  /** Null while there is none that is connected. */
  get session(): Session | null {
    return this.#session?.state === 'connected' ? this.#session : null;
  }

  /** `host:port` of the admin endpoint of the master that leads, as far as it can be seen. */
  get leaderAddress(): string | null {
    return this.session && (this.#leader?.address ?? null);
  }

  async #observe(session: Session, stop: AbortSignal): Promise<void> {
    try {
      await session.ensureChroot();
      const leader = new LeaderAddress(session, () => undefined);
      await leader.start();
      [this.#session, this.#leader] = [session, leader];
      await Promise.race([aborted(session.signal), aborted(stop)]);
    } catch (error) {
      // Lost before it could see anything: the next one tries.
      if (!session.signal.aborted) throw error;
    } finally {
      [this.#session, this.#leader] = [null, null];
    }
  }
}

// The links of one process to the ensemble, one to each server, each through a proxy of its own. Whoever breaks a link holds it broken until
// it lets go; held by several, it is as broken as all of them together want it.

import type { TestScope } from '../../test/support/cleanup.ts';
import { type FaultProxy, startFaultProxy } from '../../test/support/fault-proxy.ts';
import type { Direction, Frame } from '../../test/support/zookeeper-frames.ts';
import type { NextPort } from './port-block.ts';

/** What is wrong with a link. */
export interface LinkTrouble {
  /** Broken, and new connections refused. */
  readonly refused?: boolean;
  /** Nothing passes that way. */
  readonly silent?: readonly Direction[];
  /** More, each way. */
  readonly delayMs?: number;
}

export class Link {
  readonly #held = new Set<LinkTrouble>();

  constructor(
    /** Id of the server at its end. */
    readonly server: string,
    readonly proxy: FaultProxy,
  ) {}

  /** Its process is connected over it now. */
  get isUsed(): boolean {
    return this.proxy.connections > 0;
  }

  /** Resolves with the function that lets go. */
  async hold(trouble: LinkTrouble): Promise<() => Promise<void>> {
    this.#held.add(trouble);
    if (trouble.refused) this.proxy.cut();
    await this.#apply();
    return () => {
      this.#held.delete(trouble);
      return this.#apply();
    };
  }

  async heal(): Promise<void> {
    this.#held.clear();
    await this.proxy.heal();
  }

  async #apply(): Promise<void> {
    const held = [...this.#held];
    const silent = new Set(held.flatMap((trouble) => trouble.silent ?? []));
    const [only] = silent;
    this.proxy.silence(silent.size === 2 ? 'both' : (only ?? 'none'));
    this.proxy.delay(Math.max(0, ...held.map((trouble) => trouble.delayMs ?? 0)));
    if (held.some((trouble) => trouble.refused)) this.proxy.refuse();
    else await this.proxy.accept();
  }
}

export class ProcessLinks {
  readonly #sessions = new Set<bigint>();
  #session: bigint | null = null;

  constructor(readonly links: readonly Link[]) {
    for (const { proxy } of links) proxy.onFrame((frame) => this.#look(frame));
  }

  /** Without chroot. */
  get connect(): string {
    return this.links.map(({ proxy }) => proxy.connect).join(',');
  }

  /** The one that the ensemble confirmed last. */
  get session(): bigint | null {
    return this.#session;
  }

  /** All that it has ever had: one for its work in each life, and now and then a short one beside it. */
  get sessions(): ReadonlySet<bigint> {
    return this.#sessions;
  }

  /** The answer to a handshake: protocol version, timeout, session id; 0 where the session was gone. */
  #look({ handshake, direction, body }: Frame): void {
    if (!handshake || direction !== 'toClient' || body.length < 16) return;
    const session = body.readBigInt64BE(8);
    if (session === 0n) return;
    this.#session = session;
    this.#sessions.add(session);
  }
}

export async function startLinks(
  scope: TestScope,
  servers: readonly { readonly id: string; readonly port: number }[],
  nextPort: NextPort,
): Promise<ProcessLinks> {
  const links: Link[] = [];
  for (const server of servers) {
    links.push(new Link(server.id, await startFaultProxy(scope, server, await nextPort())));
  }
  return new ProcessLinks(links);
}

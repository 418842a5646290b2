// Which of many znodes have changed since a transaction, without reading any: a watch that is set for a transaction of the past fires
// at once where something has happened since, as it does for a client that comes back (SetWatches). A hundred thousand znodes take part of a
// second, where reading them takes several.
//
// On a session of its own that ends right after: one-shot watches would stay set, and those of one session get in the way of its recursive
// ones (ZOOKEEPER-4466). Behind a `sync`, so that the server knows of all that was committed before the question.

import { limits } from '../domain/limits.ts';
import { Connection, type ConnectionEvents, type EnsembleTarget } from './connection.ts';
import { CoordinationError } from './coordination-error.ts';
import { setWatchesRequest, syncRequest, type WireRequest } from './zookeeper-requests.ts';

/** After it the session ends by its timeout. */
const endMsMax = 1000;

export interface PastZnodes {
  readonly paths: Iterable<string>;
  /** Whether it matters that a child of this one has come. */
  readonly hasChildren: (path: string) => boolean;
}

/**
 * Those of which the data has changed, to which a child has come, or that are gone; asked of the server of `link`, as it is one that answers, or of
 * another one that knows as much. Throws CoordinationError where it cannot be told soon.
 */
export async function changesSince(
  target: EnsembleTarget & { readonly chroot: string },
  link: Connection,
  zxid: bigint,
  { paths, hasChildren }: PastZnodes,
): Promise<ReadonlySet<string>> {
  const { chroot } = target;
  const changed = new Set<string>();
  const session = new ShortSession(target, link, (path) => changed.add(path.slice(chroot.length) || '/'));
  try {
    await session.ask(syncRequest(chroot || '/'));
    for (const { data, children } of groups(paths, hasChildren, chroot)) {
      await session.ask(setWatchesRequest(zxid, data, [], children));
    }
    return changed;
  } finally {
    void session.end();
  }
}

/** Each fits into one request. */
function* groups(paths: Iterable<string>, hasChildren: (path: string) => boolean, chroot: string) {
  let [data, children]: [string[], string[]] = [[], []];
  let bytes = 0;
  for (const path of paths) {
    const serverPath = path === '/' ? chroot || '/' : chroot + path;
    data.push(serverPath);
    if (hasChildren(path)) children.push(serverPath);
    bytes += 2 * (4 + Buffer.byteLength(serverPath));
    if (bytes < limits.setWatchesBytesMax) continue;
    yield { data, children };
    [data, children] = [[], []];
    bytes = 0;
  }
  yield { data, children };
}

/** Without heartbeats, and given up where an answer takes as long as a handshake may. */
class ShortSession {
  readonly #connection: Connection;
  readonly #connected: Promise<void>;
  readonly #failed: Promise<never>;
  readonly #timeoutMs: number;
  #timer: NodeJS.Timeout | undefined;
  #fail: (why: string) => void = () => undefined;
  #isConnected = false;

  constructor(target: EnsembleTarget, link: Connection, onChange: (path: string) => void) {
    this.#failed = new Promise((_, reject) => {
      this.#fail = (why) => reject(new CoordinationError('connection_lost', 'not applied', `what has changed: ${why}`));
    });
    this.#failed.catch(() => undefined);
    this.#timeoutMs = target.sessionTimeoutMs / 3;
    this.#expectSoon();
    let onConnected: () => void = () => undefined;
    this.#connected = new Promise((resolve) => {
      onConnected = resolve;
    });
    const events: ConnectionEvents = {
      onConnected: () => {
        this.#isConnected = true;
        onConnected();
      },
      onDisconnected: () => {
        if (this.#isConnected) this.#fail('the link broke');
      },
      onRefused: (reason) => this.#fail(reason),
      onLinkError: () => undefined, // the next server is tried
      onBytes: () => true,
      onConfirmed: () => undefined,
      onNotification: (path) => onChange(path.string()),
    };
    this.#connection = new Connection(target, events, link);
    this.#connection.open();
  }

  async ask(request: WireRequest<unknown>): Promise<void> {
    await Promise.race([this.#connected, this.#failed]);
    const answered = new Promise<void>((resolve) => {
      this.#connection.send(request, (answer) => {
        if (typeof answer === 'object' && answer.code === 0) {
          this.#expectSoon();
          resolve();
        } else this.#fail(`${request.what} was not answered`);
      });
    });
    await Promise.race([answered, this.#failed]);
  }

  #expectSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fail(`no answer within ${this.#timeoutMs} ms`), this.#timeoutMs);
  }

  async end(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#connection.endSession(endMsMax);
  }
}

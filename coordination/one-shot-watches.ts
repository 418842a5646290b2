// The one-shot watches of a session: who waits for the next change of which znode. The server drops its side with the
// connection, so after a reconnect they are set again, in several requests where there are many: one packet over the
// server's limit (1 MiB) would be refused for ever. Pure.

import { limits } from '../domain/limits.ts';

/** A missing znode is watched for its creation, an existing one for its change and removal. */
export type WatchKind = 'exist' | 'data';

interface Watch {
  /** Null until the server has answered: then the request itself goes out again over the next link. */
  kind: WatchKind | null;
  readonly listeners: Set<() => void>;
}

export class OneShotWatches {
  readonly #watches = new Map<string, Watch>();

  get size(): number {
    return this.#watches.size;
  }

  has(path: string): boolean {
    return this.#watches.has(path);
  }

  /** Returns the function that takes the listener away again, leaving nothing behind; true: nobody watches that znode any more. */
  add(path: string, listener: () => void): () => boolean {
    const watch = this.#watches.get(path) ?? { kind: null, listeners: new Set() };
    this.#watches.set(path, watch);
    watch.listeners.add(listener);
    return () => {
      const isLast = watch.listeners.delete(listener) && watch.listeners.size === 0;
      return isLast && this.#watches.get(path) === watch && this.#watches.delete(path);
    };
  }

  /** The server's answer told which kind it has set. */
  setKind(path: string, kind: WatchKind): void {
    const watch = this.#watches.get(path);
    if (watch) watch.kind = kind;
  }

  fire(path: string): void {
    const watch = this.#watches.get(path);
    if (!watch) return;
    this.#watches.delete(path);
    for (const listener of watch.listeners) listener();
  }

  fireAll(): void {
    for (const path of [...this.#watches.keys()]) this.fire(path);
  }

  /** All watches that the server has set, in groups whose paths, each with `prefix`, take at most `limits.setWatchesBytesMax` in a request. */
  groups(prefix: string): { data: string[]; exist: string[] }[] {
    const groups: { data: string[]; exist: string[] }[] = [];
    let bytes = Number.POSITIVE_INFINITY;
    for (const [path, { kind }] of this.#watches) {
      if (kind === null) continue;
      const size = 4 + Buffer.byteLength(prefix + path);
      if (bytes + size > limits.setWatchesBytesMax) {
        groups.push({ data: [], exist: [] });
        bytes = 0;
      }
      bytes += size;
      groups.at(-1)?.[kind].push(prefix + path);
    }
    return groups;
  }
}

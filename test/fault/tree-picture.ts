// What a TreeCache tells its listener, kept as a picture that a test can compare and wait on; and the same picture read
// afresh, for the comparison.

import type { Session } from '../../coordination/session.ts';
import { TreeCache, type TreeCacheOptions } from '../../coordination/tree-cache.ts';
import { Changes } from '../support/changes.ts';

export type Content = 'data' | 'names';
/** Data by path; null in pictures of names alone, and while the data is still being read. */
export type Picture = Map<string, string | null>;

export class TreePicture {
  readonly cache: TreeCache;
  /** Everything that the listener was told, in order; presence without data only in pictures of names. */
  readonly told: string[] = [];
  readonly picture: Picture = new Map();
  readonly #changes = new Changes();

  constructor(session: Session, root: string, depthMax: number, content: Content, options: TreeCacheOptions = {}) {
    const listener = {
      onPresent: (path: string, znode: { data: Buffer } | null) => {
        const data = znode?.data.toString() ?? null;
        this.picture.set(path, data);
        if (content === 'names' || data !== null) this.#tell(`present ${path}`);
      },
      onAbsent: (path: string) => {
        this.picture.delete(path);
        this.#tell(`absent ${path}`);
      },
      onSynced: (synced: boolean) => this.#tell(synced ? 'synced' : 'not synced'),
    };
    // A guess that is sometimes right, so that every test tries both.
    this.cache = new TreeCache(session, root, depthMax, listener, { content, onlyChild: 'a', ...options });
  }

  /** Waits until the picture, or whatever `fits` looks at, is as wanted; looks again whenever the listener is told. */
  async until(fits: () => boolean, timeoutMs = 10_000): Promise<void> {
    const look = () => (fits() ? true : null);
    await this.#changes.until(look, timeoutMs, (late) =>
      late ? new Error(`not in ${timeoutMs} ms; told last:\n${this.told.slice(-20).join('\n')}`) : null,
    );
  }

  #tell(what: string): void {
    this.told.push(what);
    this.#changes.announce();
  }
}

/** `root` and up to `depth` levels below as they are now. */
export async function readTree(session: Session, root: string, depth: number, content: Content): Promise<Picture> {
  const picture: Picture = new Map();
  const znode = await session.getData(root);
  if (!znode) return picture;
  picture.set(root, content === 'data' ? znode.data.toString() : null);
  if (depth === 0) return picture;
  for (const name of (await session.getChildren(root))?.children ?? []) {
    for (const [path, data] of await readTree(session, `${root}/${name}`, depth - 1, content)) picture.set(path, data);
  }
  return picture;
}

/** As text, for comparisons that say what differs. */
export function lines(picture: Picture): string[] {
  return [...picture].map(([path, data]) => `${path} ${data}`).sort();
}

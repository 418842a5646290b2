// What a mirror keeps in mind while it lists its subtree anew, and where a path stands in one.

/** A listing under way: what it still has to read and list, and what was known before and may not be there any more. */
export interface Listing {
  readonly open: Set<string>;
  readonly unseen: Set<string>;
  /** Removed while it went on: a list that was answered before may still name it. */
  readonly removed: Set<string>;
  /** Of those that were known before, the only ones that may be different from what is known; null: all may. */
  readonly changed: Set<string> | null;
  /** Children that were guessed by their name, and when the children of their parent had last changed. */
  readonly guesses: Map<string, bigint>;
}

/** `open` are looked at first; `changed` as in {@link Listing}. */
export function newListing(open: Iterable<string>, changed: Set<string> | null): Listing {
  return { open: new Set(open), unseen: new Set(), removed: new Set(), changed, guesses: new Map() };
}

export function childPath(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

/** 0 for the root itself, 1 for its children. */
export function depthBelow(root: string, path: string): number {
  if (path === root) return 0;
  let depth = 0;
  for (let at = root === '/' ? 0 : root.length; at >= 0; at = path.indexOf('/', at + 1)) depth += 1;
  return depth;
}

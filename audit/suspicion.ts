// How rules look at a tree: through a function that shows one znode at a time. What is found in a copy that was read bit by bit
// may never have been so, since the tree went on meanwhile; so whatever finds something can be asked again, of
// znodes of one moment. Pure.

import type { Finding } from './finding.ts';
import type { SnapshotNode } from './tree-snapshot.ts';

/** A znode, all that are asked for being of one moment; null: there is none. */
export type Look = (path: string) => SnapshotNode | null;

/** Knows nothing of the tree but what it asks for. */
export type Suspect = (look: Look) => Iterable<Finding>;

export interface Checked {
  /** What the copy shows; empty where all is well. */
  readonly findings: readonly Finding[];
  readonly suspect: Suspect;
}

export function lookAt(tree: ReadonlyMap<string, SnapshotNode | null>): Look {
  return (path) => tree.get(path) ?? null;
}

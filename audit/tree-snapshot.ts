// A copy of a tree, or of a part of it: what an audit and the judge of chaos runs look at, as often and as long as they like. It can be
// written down as lines of JSON and read again, so that a tree that is gone can be judged once more. Pure.

import type { Stat } from '../coordination/jute.ts';

export interface SnapshotNode {
  readonly data: Buffer;
  readonly stat: Stat;
  /** Names, in no order. */
  readonly children: readonly string[];
  /** It is there, and we may not read it: nothing else that is said of it means anything. */
  readonly isHidden?: true;
}

/** By path, without the chroot; `/` is not in it. */
export type TreeSnapshot = ReadonlyMap<string, SnapshotNode>;

/** One line for each znode. */
export function* snapshotLines(tree: TreeSnapshot): Generator<string> {
  for (const [path, { data, stat, ...rest }] of tree) {
    yield JSON.stringify({ path, data: data.toString('base64'), stat: writeStat(stat), ...rest });
  }
}

/** The other way round. Throws SyntaxError where a line is none of those. */
export function parseSnapshot(lines: Iterable<string>): TreeSnapshot {
  const tree = new Map<string, SnapshotNode>();
  for (const line of lines) {
    const { path, data, stat, ...rest } = JSON.parse(line);
    tree.set(path, { data: Buffer.from(data, 'base64'), stat: readStat(stat), ...rest });
  }
  return tree;
}

const bigNames = ['czxid', 'mzxid', 'pzxid', 'ephemeralOwner'] as const;

/** JSON has no bigint: those are decimal strings. */
function writeStat(stat: Stat): object {
  return { ...stat, ...Object.fromEntries(bigNames.map((name) => [name, String(stat[name])])) };
}

function readStat(stat: Stat): Stat {
  return { ...stat, ...Object.fromEntries(bigNames.map((name) => [name, BigInt(stat[name])])) };
}

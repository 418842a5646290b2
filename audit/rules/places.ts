// Whether a znode is where the contract has one, of the kind that it has there. Pure.

import {
  parentPaths,
  parseAssignPath,
  parseQueuePath,
  parseSchedulePath,
  parseTaskPath,
  parseWorkerPath,
  paths,
} from '../../coordination/znode-paths.ts';
import { type Finding, finding } from '../finding.ts';
import type { Look } from '../suspicion.ts';

const roots: readonly string[] = [...parentPaths, paths.master, paths.backlog];
const readings = [parseTaskPath, parseAssignPath, parseWorkerPath, parseQueuePath, parseSchedulePath];
const bucket = /^\/idempotency\/[0-9a-f]{2}$/;
const ephemeralOnes = [paths.master, `${paths.workers}/`];

/** True for a znode that the contract knows. Names at the root that are not ours are somebody else's, and left alone. */
export function isKnownPlace(path: string): boolean {
  return roots.includes(path) || isKey(path) || bucket.test(path) || readings.some((read) => read(path) !== null);
}

/** By the first of its names. */
function isOurs(path: string): boolean {
  return roots.some((root) => path === root || path.startsWith(`${root}/`));
}

export function* placeFindings(look: Look, path: string): Generator<Finding> {
  const node = look(path);
  if (!node || !isOurs(path)) return;
  if (!isKnownPlace(path)) yield finding('unknown-name', path, 'is no znode of ours: it is left alone');
  else if (node.isHidden) yield finding('hidden', path, 'may not be read with these credentials');
  else if (node.stat.ephemeralOwner !== 0n && !ephemeralOnes.some((place) => path.startsWith(place))) {
    yield finding('not-persistent', path, 'goes by itself: it is not persistent');
  }
}

/** An idempotency key. */
export function isKey(path: string): boolean {
  const match = /^\/idempotency\/([0-9a-f]{2})\/([0-9a-f]{64})$/.exec(path);
  return match?.[2]?.startsWith(match[1] ?? '') === true;
}

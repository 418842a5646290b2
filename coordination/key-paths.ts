// Where an idempotency key is kept. Keys are hashed, since they may hold characters that no znode name may, and spread
// over 256 buckets, so that no list of children becomes long.

import { createHash } from 'node:crypto';
import { paths } from './znode-paths.ts';

export function keyPaths(key: string): { bucket: string; path: string } {
  const hash = createHash('sha256').update(key).digest('hex');
  const bucket = `${paths.idempotency}/${hash.slice(0, 2)}`;
  return { bucket, path: `${bucket}/${hash}` };
}

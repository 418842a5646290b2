// Entity tags (RFC 9110, section 8.8.3) and If-None-Match.

import { createHash } from 'node:crypto';

/** A strong tag of exactly these bytes, whichever gateway sends them. */
export function etagOf(content: string): string {
  return `"${createHash('sha256').update(content).digest('base64url').slice(0, 22)}"`;
}

const tag = /(?:W\/)?"[^"]*"/g;

/** Whether If-None-Match names the tag, weakly compared as that header wants, or anything that exists. */
export function matchesEtag(ifNoneMatch: string, etag: string): boolean {
  if (ifNoneMatch.trim() === '*') return true;
  return [...ifNoneMatch.matchAll(tag)].some(([given]) => given.replace(/^W\//, '') === etag);
}

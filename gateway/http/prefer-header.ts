// The `wait` preference of the Prefer header (RFC 7240): `Prefer: respond-async, wait=10`. A preference that cannot be
// read, or is none of ours, is ignored, as the RFC wants; so this never refuses a request.

import { boundedWaitMs } from '../api/wait-time.ts';

// One preference: token, optional value as token or quoted string, optional parameters. Commas inside quotes are kept.
const preference = /(?:"(?:[^"\\]|\\.)*"|[^,"])+/g;
const wait = /^\s*wait\s*=\s*(?:"(\d{1,9})"|(\d{1,9}))\s*(?:;.*)?$/i;

/** Milliseconds; null where the header does not ask for a wait. Of several the first one counts. */
export function preferredWaitMs(header: string | undefined): number | null {
  for (const part of header?.match(preference) ?? []) {
    const match = wait.exec(part);
    if (match) return boundedWaitMs(Number(match[1] ?? match[2]) * 1000);
  }
  return null;
}

/** Value of Preference-Applied for a wait that was honoured. */
export function waitApplied(waitMs: number): string {
  return `wait=${waitMs / 1000}`;
}

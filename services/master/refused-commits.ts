// What a leader makes of a commit that was refused: whether that was to be expected, and when the decision is looked at again.

import type { CoordinationCode } from '../../coordination/coordination-error.ts';

/** Where the picture was a moment late: until it has caught up. */
export const outrunMs = 20;
/** After a refusal that should not have been. */
export const deferMs = 1000;
/** A loop looks at the clock so often at least: it may have been set forward. */
export const alarmMsMax = 60_000;

/** The picture was a moment late, or the session has just ended. */
export const expectedRefusals: ReadonlySet<CoordinationCode> = new Set([
  'bad_version',
  'no_node',
  'node_exists',
  'session_lost',
]);

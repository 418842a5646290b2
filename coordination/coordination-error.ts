// What can go wrong between us and the ensemble. A failed write is "not applied" or "unknown", and that difference is
// the most important fact about it: an unknown one may have happened, so nobody may simply repeat it.

/** Answers of the server that we act on (KeeperException.Code), and our own reasons for not having an answer. */
export type CoordinationCode =
  | 'no_node'
  | 'node_exists'
  | 'bad_version'
  | 'not_empty'
  | 'no_children_for_ephemerals'
  | 'no_auth'
  | 'auth_failed'
  | 'invalid_acl'
  | 'session_expired'
  | 'session_moved'
  | 'other_refusal'
  | 'connection_lost'
  | 'session_lost'
  | 'deadline_exceeded'
  | 'too_large'
  | 'fenced';

/** KeeperException.Code.NONODE. */
export const noNode = -101;

const serverCodes: ReadonlyMap<number, CoordinationCode> = new Map([
  [noNode, 'no_node'],
  [-102, 'no_auth'],
  [-103, 'bad_version'],
  [-108, 'no_children_for_ephemerals'],
  [-110, 'node_exists'],
  [-111, 'not_empty'],
  [-112, 'session_expired'],
  [-114, 'invalid_acl'],
  [-115, 'auth_failed'],
  [-118, 'session_moved'],
]);

export class CoordinationError extends Error {
  override readonly name = 'CoordinationError';

  constructor(
    readonly code: CoordinationCode,
    /** `unknown`: the request was sent and no answer came. `not applied` is certain. */
    readonly outcome: 'not applied' | 'unknown',
    /** The message without code and outcome, for an error that is made of this one. */
    readonly what: string,
    /** Which operation of a transaction the server refused, from 0. */
    readonly operationIndex: number | null = null,
  ) {
    super(`${what} (${code}, ${outcome})`);
  }

  /** The server's refusal with its number `code`. */
  static refused(code: number, what: string, operationIndex: number | null = null): CoordinationError {
    const known = serverCodes.get(code) ?? 'other_refusal';
    return new CoordinationError(known, 'not applied', `ZooKeeper refused ${what} with code ${code}`, operationIndex);
  }
}

/** True for the error with this code; for the branches where a refusal is an expected answer. */
export function isRefusal(error: unknown, code: CoordinationCode): error is CoordinationError {
  return error instanceof CoordinationError && error.code === code;
}

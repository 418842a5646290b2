// Programmer errors. A failed invariant is a bug, never an operating error: it is thrown, logged and ends the process,
// and a supervisor starts a clean one. Nothing catches it on the way.

export class InvariantViolation extends Error {
  override readonly name = 'InvariantViolation';
}

/** Throws {@link InvariantViolation} unless `condition` holds. `message` says what should have been true. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}

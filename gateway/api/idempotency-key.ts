// The idempotency key of a request: header `Idempotency-Key` as a quoted structured-field string (RFC 8941) or bare,
// or the field of the body. All three spell the same key.

import { ServiceError } from '../../domain/errors.ts';
import { textForms } from './text-forms.ts';

const allowed = new RegExp(textForms.idempotencyKey.pattern);
const quoted = /^"((?:[^"\\]|\\["\\])*)"$/;

/** `lines` are the header's values, one for each time it was sent. Null: not sent. */
export function parseIdempotencyKeyHeader(lines: readonly string[]): string | null {
  const [line, ...others] = lines;
  if (line === undefined) return null;
  if (others.length > 0) throw refused('was sent more than once');
  const key = line.startsWith('"') ? quoted.exec(line)?.[1]?.replaceAll(/\\(["\\])/g, '$1') : line;
  if (key === undefined) throw refused('begins with a quote and is no quoted string');
  return checkedIdempotencyKey(key);
}

export function checkedIdempotencyKey(key: string): string {
  if (allowed.test(key)) return key;
  throw refused(`must be ${textForms.idempotencyKey.words}`);
}

/** The key that both places agree on; both given and different is a mistake that nobody should guess about. */
export function oneIdempotencyKey(beside: string | null, inBody: string | null): string | null {
  if (beside !== null && inBody !== null && beside !== inBody) throw refused('differs between header and body');
  return beside ?? inBody;
}

function refused(detail: string): ServiceError {
  return new ServiceError('invalid-request', `The idempotency key ${detail}.`);
}

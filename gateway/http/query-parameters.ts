// Query parameters, strictly: one that is not known, or given twice, is refused, so that a typing mistake is seen and
// `?wiat=10s` is not answered at once.

import type { Request } from 'express';
import { ServiceError } from '../../domain/errors.ts';

/** The parameters of this request; throws 'invalid-request' for any that is not in `known`. */
export function queryParameters<Name extends string>(
  request: Request,
  known: readonly Name[],
): Partial<Record<Name, string>> {
  const values = new Map<string, string>();
  const queryAt = request.url.indexOf('?');
  const query = queryAt < 0 ? '' : request.url.slice(queryAt + 1);
  for (const [name, value] of new URLSearchParams(query)) {
    if (!known.some((other) => other === name)) throw refused(name, `is not known here${hint(known)}`);
    if (values.has(name)) throw refused(name, 'is given more than once');
    values.set(name, value);
  }
  return Object.fromEntries(values) as Partial<Record<Name, string>>;
}

function hint(known: readonly string[]): string {
  return known.length > 0 ? `; there is ${known.join(', ')}` : '';
}

function refused(name: string, detail: string): ServiceError {
  return new ServiceError('invalid-request', `The query parameter ${JSON.stringify(name.slice(0, 100))} ${detail}.`);
}

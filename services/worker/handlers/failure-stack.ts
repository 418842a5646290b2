// Where something that a handler threw comes from, as one text for the log: its stack, and those of what caused it, as pino writes
// them. Made where it was thrown, since neither every error nor its cause gets across the border of a thread. Pure.

import { inspect } from 'node:util';
import { cutText } from '../../../domain/well-formed.ts';
import { handlerLimits } from './handler-limits.ts';

/** At most {@link handlerLimits.failureStackCharactersMax} characters. Never throws, whatever getters there are. */
export function failureStack(thrown: unknown): string {
  const parts: string[] = [];
  try {
    collect(thrown, '', parts, new Set());
  } catch {
    parts.push('(the rest cannot be read)');
  }
  return cutText(parts.join('\n'), handlerLimits.failureStackCharactersMax);
}

function collect(thrown: unknown, relation: string, parts: string[], seen: Set<unknown>): void {
  if (seen.has(thrown) || parts.length === handlerLimits.failureCausesMax) return;
  seen.add(thrown);
  const { stack, name, message, cause, errors } = Object(thrown) as Partial<AggregateError>;
  const own = typeof stack === 'string' && stack !== '' ? stack : null;
  parts.push(relation + (own ?? (typeof message === 'string' ? `${name ?? 'Error'}: ${message}` : shown(thrown))));
  if (cause !== undefined && cause !== null) collect(cause, 'caused by: ', parts, seen);
  if (Array.isArray(errors)) for (const each of errors) collect(each, 'one of its errors: ', parts, seen);
}

function shown(thrown: unknown): string {
  return typeof thrown === 'string' && thrown !== '' ? thrown : inspect(thrown, { depth: 1 });
}

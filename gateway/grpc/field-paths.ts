// How places in a request are told in gRPC: `spec.backoff.delay_ms`, where the checks that both faces share say
// `/backoff/delayMs`. And the names themselves, from one spelling to the other.

import { type FieldFault, ServiceError } from '../../domain/errors.ts';
import { invalidRequest } from '../api/invalid-request.ts';

export function camelCased(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [camelCase(name), value]));
}

/** The field path for the steps of a JSON pointer. */
export type PathOf = (steps: readonly string[]) => string;

/** What `check` throws about a JSON form is thrown on with field paths. */
export async function withFieldPaths<T>(pathOf: PathOf, check: () => T | Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof ServiceError) || error.faults.length === 0) throw error;
    const faults = error.faults.map(({ pointer, detail }) => ({ pointer: pathOf(stepsOf(pointer)), detail }));
    throw error.reason === 'invalid-request'
      ? invalidRequest(faults)
      : new ServiceError(error.reason, error.message, { faults });
  }
}

/** What `check` finds wrong without naming a place is wrong with `field`. */
export async function aboutField<T>(field: string, check: () => T | Promise<T>): Promise<T> {
  try {
    return await check();
  } catch (error) {
    const isUnplaced = error instanceof ServiceError && error.reason === 'invalid-request' && error.faults.length === 0;
    if (!isUnplaced) throw error;
    throw new ServiceError(error.reason, error.message, { faults: [{ pointer: field, detail: error.message }] });
  }
}

/** A fault for a text of too many characters (not UTF-16 units), in the words of JSON Schema's checks. */
export function lengthFaults(field: string, text: string, charactersMax: number): FieldFault[] {
  if (text.length <= charactersMax || [...text].length <= charactersMax) return [];
  return [{ pointer: field, detail: `must NOT have more than ${charactersMax} characters` }];
}

/**
 * `/backoff/delayMs` is `backoff.delay_ms`; what lies in a map or in the payload keeps its own name. The list `after` of the
 * JSON form is two in the message, of which the first has `idCount` items.
 */
export function specPath(steps: readonly string[], idCount: number): string {
  const [field = '', ...rest] = steps;
  if (field === 'after' && rest.length > 0) {
    const place = Number(rest[0]);
    return place < idCount ? `.after[${place}]` : `.after_members[${place - idCount}]`;
  }
  const below = rest.map((step) => (field === 'backoff' ? `.${snakeCase(step)}` : `[${JSON.stringify(step)}]`));
  return `${field && `.${snakeCase(field)}`}${below.join('')}`;
}

export function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function stepsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

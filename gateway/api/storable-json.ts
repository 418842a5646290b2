// What JSON.parse accepts but cannot be kept: nesting that costs every later reader its stack, halves of a surrogate
// pair (no UTF-8 for them), and numbers beyond a double (1e400 would come back as null). Refused, never changed.

import type { FieldFault } from '../../domain/errors.ts';
import { pointerStep } from './invalid-request.ts';

const loneSurrogate = /\p{Surrogate}/u;

/**
 * The first place in `value` that cannot be kept as it is, or null. `depthMax` counts arrays and objects inside each
 * other. Call it before anything that recurses over the value.
 */
export function findUnstorable(value: unknown, depthMax: number, pointer = ''): FieldFault | null {
  if (typeof value === 'string') {
    return loneSurrogate.test(value) ? { pointer, detail: 'has half of a surrogate pair' } : null;
  }
  if (typeof value === 'number') {
    return Number.isFinite(value) ? null : { pointer, detail: 'is a number beyond the range of a double' };
  }
  if (typeof value !== 'object' || value === null) return null;
  if (depthMax === 0) return { pointer, detail: 'is nested too deeply' };
  return findUnstorableBelow(value, depthMax - 1, pointer);
}

function findUnstorableBelow(parent: object, depthMax: number, pointer: string): FieldFault | null {
  const isArray = Array.isArray(parent);
  for (const [key, child] of Object.entries(parent)) {
    const place = pointer + pointerStep(key);
    if (!isArray && loneSurrogate.test(key))
      return { pointer: place, detail: 'has half of a surrogate pair in its name' };
    const fault = findUnstorable(child, depthMax, place);
    if (fault) return fault;
  }
  return null;
}

/** True where arrays and objects inside each other are more than `depthMax`. */
export function isDeeperThan(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depthMax === 0 || Object.values(value).some((child) => isDeeperThan(child, depthMax - 1));
}

/** Halves of surrogate pairs replaced: for text that was stored by others and has to become UTF-8. */
export function wellFormed(text: string): string {
  return text.replaceAll(/\p{Surrogate}/gu, '\ufffd');
}

/** One text for equal values, key order apart. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, child]) => `${JSON.stringify(key)}:${canonicalJson(child)}`);
  return `{${members.join(',')}}`;
}

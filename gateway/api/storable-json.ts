// What JSON.parse accepts but cannot be kept: nesting that costs every later reader its stack, halves of a surrogate
// pair (no UTF-8 for them), and numbers beyond a double (1e400 would come back as null). Refused, never changed.
//
// A body has room for half a million values, and nothing else is done while they are looked at: so places are put into
// words only where something is wrong, on the way back from there.

import type { FieldFault } from '../../domain/errors.ts';
import { pointerStep } from './invalid-request.ts';

const loneSurrogate = /\p{Surrogate}/u;

/**
 * The first place in `value` that cannot be kept as it is, or null. `depthMax` counts arrays and objects inside each
 * other. Call it before anything that recurses over the value.
 */
export function findUnstorable(value: unknown, depthMax: number): FieldFault | null {
  if (typeof value === 'string') return loneSurrogate.test(value) ? here('has half of a surrogate pair') : null;
  if (typeof value === 'number')
    return Number.isFinite(value) ? null : here('is a number beyond the range of a double');
  if (typeof value !== 'object' || value === null) return null;
  if (depthMax === 0) return here('is nested too deeply');
  return Array.isArray(value) ? findInArray(value, depthMax - 1) : findInObject(value, depthMax - 1);
}

function findInArray(items: readonly unknown[], depthMax: number): FieldFault | null {
  for (let place = 0; place < items.length; place += 1) {
    const fault = findUnstorable(items[place], depthMax);
    if (fault) return below(place, fault);
  }
  return null;
}

function findInObject(parent: object, depthMax: number): FieldFault | null {
  const members = parent as Readonly<Record<string, unknown>>;
  for (const key of Object.keys(members)) {
    if (loneSurrogate.test(key)) return below(key, here('has half of a surrogate pair in its name'));
    const fault = findUnstorable(members[key], depthMax);
    if (fault) return below(key, fault);
  }
  return null;
}

function here(detail: string): FieldFault {
  return { pointer: '', detail };
}

function below(step: string | number, { pointer, detail }: FieldFault): FieldFault {
  return { pointer: pointerStep(step) + pointer, detail };
}

/** True where arrays and objects inside each other are more than `depthMax`. */
export function isDeeperThan(value: unknown, depthMax: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depthMax === 0 || Object.values(value).some((child) => isDeeperThan(child, depthMax - 1));
}

/** One text for equal values, key order apart. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return canonicalArray(value);
  const members = value as Readonly<Record<string, unknown>>;
  const sorted = Object.keys(members).sort();
  return `{${sorted.map((key) => `${JSON.stringify(key)}:${canonicalJson(members[key])}`).join(',')}}`;
}

/** At once where nothing in it has an order of keys: that is many times faster, and common among long arrays. */
function canonicalArray(items: readonly unknown[]): string {
  const isFlat = items.every((item) => typeof item !== 'object' || item === null);
  return isFlat ? JSON.stringify(items) : `[${items.map(canonicalJson).join(',')}]`;
}

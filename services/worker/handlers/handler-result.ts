// What a handler may result in: JSON, not too deep, not too large (contract section 3). Stricter than JSON.stringify, which
// silently turns NaN into null and a Map into {}: here the attempt fails with `invalid_result` and says what is wrong. A
// result of undefined is null; an undefined member is left out, as everybody expects.

import { limits } from '../../../domain/limits.ts';
import { HandlerFailure } from './handler-failure.ts';

/** The result as JSON text. Throws a {@link HandlerFailure} with code `invalid_result`. */
export function resultText(result: unknown): string {
  const text = stringify(result);
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.resultBytesMax) throw tooLarge(`it is ${bytes} bytes`);
  return text;
}

function stringify(result: unknown): string {
  try {
    return JSON.stringify(result ?? null, checkingReplacer());
  } catch (error) {
    if (error instanceof HandlerFailure) throw error;
    // A cycle, a throwing getter or toJSON, or a stack that ran out.
    throw invalid(error instanceof Error ? error.message : String(error));
  }
}

/** Sees each value before JSON.stringify drops or rewrites it; parents come right before their children. */
function checkingReplacer(): (this: unknown, key: string, value: unknown) => unknown {
  const depths = new Map<unknown, number>();
  let units = 0;
  return function check(key, value) {
    // Each value takes at least one byte: give up early on what is hopelessly large.
    units += typeof value === 'string' ? value.length : 1;
    if (units > limits.resultBytesMax) throw tooLarge('it is larger');
    const fault = faultOf(value, Array.isArray(this));
    if (fault) throw invalid(`${key === '' ? 'it' : `member ${JSON.stringify(key)}`} is ${fault}`);
    if (typeof value === 'object' && value !== null) {
      const depth = (depths.get(this) ?? 0) + 1;
      if (depth > limits.jsonDepthMax) throw invalid(`it is nested deeper than ${limits.jsonDepthMax} levels`);
      depths.set(value, depth);
    }
    return value;
  };
}

function faultOf(value: unknown, inArray: boolean): string | null {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? null : String(value);
    case 'undefined':
      return inArray ? 'undefined in an array' : null;
    case 'bigint':
    case 'function':
    case 'symbol':
      return `a ${typeof value}`;
    case 'object':
      return value === null || Array.isArray(value) ? null : faultOfObject(value);
    default:
      return null;
  }
}

/** Plain objects and instances of plain classes are fine; a Map, an Error, a Promise or bytes would come out as nonsense. */
function faultOfObject(value: object): string | null {
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
  return tag === 'Object' ? null : `a ${tag}`;
}

function invalid(what: string): HandlerFailure {
  return new HandlerFailure('invalid_result', `the result is not JSON that can be kept: ${what}`);
}

function tooLarge(what: string): HandlerFailure {
  return new HandlerFailure('invalid_result', `the result may have ${limits.resultBytesMax} bytes as JSON: ${what}`);
}

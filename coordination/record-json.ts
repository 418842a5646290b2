// Reading JSON that anybody may have written, member by member and without trust, and writing our own. For
// znode-records.ts. Pure.

import { limits } from '../domain/limits.ts';
import type { Json } from '../domain/task.ts';
import { timestampText, writableTime } from '../domain/timestamp.ts';
import { wellFormed } from '../domain/well-formed.ts';

export type JsonObject = { [key: string]: Json };

/** A payload or result, and the record around it. */
const recordDepthMax = limits.jsonDepthMax + 4;

/** Null for what is no text. What is read goes out as UTF-8 again, in answers that nobody could read otherwise. */
export function readText(value: Json | undefined): string | null {
  return typeof value === 'string' ? wellFormed(value) : null;
}

export function readNames(value: Json | undefined): string[] | null {
  return Array.isArray(value) ? value.map(readText).filter((name) => name !== null) : null;
}

/** The members that are texts, by well-formed names. */
export function readTexts(value: Json | undefined): Record<string, string> {
  if (!isObject(value)) return {};
  const members = Object.entries(value).map(([name, member]) => [wellFormed(name), readText(member)] as const);
  return Object.fromEntries(members.filter((member): member is [string, string] => member[1] !== null));
}

export function clamp(value: Json | undefined, min: number, max: number): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(max, Math.max(min, Math.trunc(value))) : null;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Null for what is no JSON object, or is nested so deeply that it could not be written again. */
export function parseObject(text: string): JsonObject | null {
  if (!text.trimStart().startsWith('{')) return null;
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) && !isDeeperThan(value, recordDepthMax) ? value : null;
  } catch {
    return null; // not JSON: a person's text, for the caller to make sense of
  }
}

/** Level by level: `JSON.parse` reads any depth, but recursion, `JSON.stringify` for one, does not bear it. */
function isDeeperThan(value: Json, depthMax: number): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > depthMax) return true;
    level = level.flatMap((item) => (typeof item === 'object' && item !== null ? Object.values(item) : []));
  }
  return false;
}

export function encode(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export function toTimestamp(at: number | null): string | null {
  return at === null ? null : timestampText(at);
}

/** Within the years that can be written again, so that whoever reckons with it stays far from the ends of `Date`. */
export function fromTimestamp(value: Json | undefined): number | null {
  const at = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : writableTime(at);
}

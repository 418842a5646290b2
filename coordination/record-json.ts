// Reading JSON that anybody may have written, member by member and without trust, and writing our own. For
// znode-records.ts and its like. What a newer version of us wrote is told apart here, for everybody. Pure.

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
  if (!isObject(value) || isEmpty(value)) return {};
  const members = Object.entries(value).map(([name, member]) => [wellFormed(name), readText(member)] as const);
  return Object.fromEntries(members.filter((member): member is [string, string] => member[1] !== null));
}

export function clamp(value: Json | undefined, min: number, max: number): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? Math.min(max, Math.max(min, Math.trunc(value))) : null;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(object: JsonObject): boolean {
  for (const _name in object) return false;
  return true;
}

/** Null for what is no JSON object, or is nested so deeply that it could not be written again. */
export function parseObject(text: string): JsonObject | null {
  if (!text.trimStart().startsWith('{')) return null;
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) && !(mayBeDeeper(text) && isDeeperThan(value, recordDepthMax)) ? value : null;
  } catch {
    return null; // not JSON: a person's text, for the caller to make sense of
  }
}

/** False for nearly every record: a text nests no deeper than it has brackets, and to find those costs less than to look. */
function mayBeDeeper(text: string): boolean {
  let openings = 0;
  for (const bracket of '{[') {
    for (let at = text.indexOf(bracket); at !== -1; at = text.indexOf(bracket, at + 1)) {
      openings += 1;
      if (openings > recordDepthMax) return true;
    }
  }
  return false;
}

/** `JSON.parse` reads any depth, but recursion without a bound, that of `JSON.stringify` for one, does not bear it. */
function isDeeperThan(value: Json, depthMax: number): boolean {
  if (depthMax < 0) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some((member) => isDeeperThan(member, depthMax - 1));
}

/** How each record of ours begins. */
const ours = Buffer.from('{"v":1,');

/**
 * True for what a newer version of us wrote. It is left to that: the decoders of records, which make sense of whatever people
 * write, are not to be asked, and what they would write in its place would lose what only that version knows.
 */
export function isNewer(data: Buffer): boolean {
  const isOurs = data.length >= ours.length && data.compare(ours, 0, ours.length, 0, ours.length) === 0;
  return !isOurs && newerVersion(parseObject(data.toString('utf8'))) !== null;
}

/** The same of a status, where any text that is none of ours is a result, JSON with some "v" too: a status has a state. */
export function isNewerStatus(data: Buffer): boolean {
  return isNewer(data) && typeof parseObject(data.toString('utf8'))?.['state'] === 'string';
}

/** The version of what a newer version of us wrote; null for anything else. */
export function newerVersion(object: JsonObject | null): number | null {
  const v = object?.['v'];
  return typeof v === 'number' && Number.isInteger(v) && v > 1 ? v : null;
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

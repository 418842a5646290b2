// The settings of a queue as the data of its znode: JSON with `"v":1`, in which what is at its default is left out. People write
// it too, so the reader says what it did not take: a limit that is misspelt is none. Pure.

import { limits } from '../domain/limits.ts';
import { defaultQueueSettings, type QueueSettings } from '../domain/queue-settings.ts';
import { encode, type JsonObject, newerVersion, parseObject } from './record-json.ts';

export interface QueueReading {
  /** Null: this says nothing about any setting, or is for a newer version of us to read. */
  readonly settings: QueueSettings | null;
  /** Members that are no settings of ours, or cannot be what they say; their settings are at their default. */
  readonly notTaken: readonly string[];
}

const settingNames = Object.keys(defaultQueueSettings) as (keyof QueueSettings)[];

/** `previous` is the data that is replaced: members that we do not know stay. */
export function encodeQueue(settings: QueueSettings, previous: Buffer = Buffer.alloc(0)): Buffer {
  const object: JsonObject = { ...parseObject(previous.toString('utf8')), v: 1 };
  for (const name of settingNames) {
    if (settings[name] === defaultQueueSettings[name]) delete object[name];
    else object[name] = settings[name];
  }
  return encode(object);
}

/** True where {@link encodeQueue} had nothing to write, and nothing that we do not know is there either. */
export function hasNoSettings(data: Buffer): boolean {
  return Object.keys(parseObject(data.toString('utf8')) ?? {}).every((name) => name === 'v');
}

export function decodeQueue(data: Buffer): QueueReading {
  const object = parseObject(data.toString('utf8'));
  if (!object || newerVersion(object) !== null) return { settings: null, notTaken: [] };
  const within = (name: keyof QueueSettings, min: number, max: number): number | null => {
    const value = object[name];
    return typeof value === 'number' && value >= min && value <= max ? value : null;
  };
  const whole = (name: keyof QueueSettings, min: number, max: number): number | null => {
    const value = within(name, min, max);
    return Number.isInteger(value) ? value : null;
  };
  const settings: QueueSettings = {
    paused: object['paused'] === true,
    concurrency: whole('concurrency', 0, limits.queueConcurrencyMax),
    ratePerSecond: within('ratePerSecond', limits.queueRatePerSecondMin, limits.queueRatePerSecondMax),
    burst: whole('burst', 1, limits.queueBurstMax),
    maxQueued: whole('maxQueued', 0, limits.queueMaxQueuedMax),
  };
  return { settings, notTaken: notTakenOf(object, settings) };
}

function notTakenOf(object: JsonObject, settings: QueueSettings): string[] {
  const isTaken = (name: string) => {
    const setting = settingNames.find((known) => known === name);
    return setting ? (object[name] ?? defaultQueueSettings[setting]) === settings[setting] : name === 'v';
  };
  return Object.keys(object).filter((name) => !isTaken(name));
}

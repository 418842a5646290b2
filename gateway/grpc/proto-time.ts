// google.protobuf.Timestamp and Duration from and to milliseconds.

import { writableTime } from '../../domain/timestamp.ts';

const minSeconds = -62_135_596_800; // 0001-01-01T00:00:00Z
const maxSeconds = 253_402_300_799; // 9999-12-31T23:59:59Z
const maxDurationSeconds = 315_576_000_000; // ten thousand years

/** As @grpc/proto-loader reads it here: a field with its default value may be missing. */
export interface ProtoTime {
  readonly seconds?: number;
  readonly nanos?: number;
}

/** Epoch milliseconds, fractions cut; null for what is no valid Timestamp. */
export function millisecondsOfTimestamp({ seconds = 0, nanos = 0 }: ProtoTime): number | null {
  const isValid = seconds >= minSeconds && seconds <= maxSeconds && nanos >= 0 && nanos < 1e9;
  return isValid ? seconds * 1000 + Math.floor(nanos / 1e6) : null;
}

/** Milliseconds; null for what is negative or no valid Duration. */
export function millisecondsOfDuration({ seconds = 0, nanos = 0 }: ProtoTime): number | null {
  const isValid = seconds >= 0 && seconds <= maxDurationSeconds && nanos >= 0 && nanos < 1e9;
  return isValid ? seconds * 1000 + nanos / 1e6 : null;
}

export function timestampOf(epochMs: number): ProtoTime {
  const at = writableTime(epochMs);
  const seconds = Math.floor(at / 1000);
  return { seconds, nanos: Math.round((at - seconds * 1000) * 1e6) };
}

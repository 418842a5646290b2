// google.protobuf.Value from and to JSON. A Value can say more than JSON (NaN, no kind at all) and protobuf readers
// nest less deeply, so both directions have something to refuse. Keys named `__proto__` stay plain keys.

import type { FieldFault } from '../domain/errors.ts';
import type { Json } from '../domain/task.ts';
import { pointerStep } from './invalid-request.ts';
import { wellFormed } from './storable-json.ts';

/** As @grpc/proto-loader reads and writes it here: exactly the member of the kind that is set. */
export interface ProtoValue {
  readonly null_value?: unknown;
  readonly number_value?: number;
  readonly string_value?: string;
  readonly bool_value?: boolean;
  readonly struct_value?: { readonly fields?: Readonly<Record<string, ProtoValue>> };
  readonly list_value?: { readonly values?: readonly ProtoValue[] };
}

/** `faults` gets a line for each place that is no JSON; the result is of use only where there is none. */
export function jsonOfValue(value: ProtoValue, pointer: string, faults: FieldFault[]): Json {
  if (value.number_value !== undefined) {
    if (!Number.isFinite(value.number_value)) faults.push({ pointer, detail: 'is no finite number' });
    return value.number_value;
  }
  if (value.string_value !== undefined) return value.string_value;
  if (value.bool_value !== undefined) return value.bool_value;
  if (value.list_value) {
    return (value.list_value.values ?? []).map((item, i) => jsonOfValue(item, pointer + pointerStep(i), faults));
  }
  if (value.struct_value) {
    const members = Object.entries(value.struct_value.fields ?? {});
    // fromEntries defines keys instead of assigning them, which would lose `__proto__`.
    return Object.fromEntries(
      members.map(([key, child]) => [key, jsonOfValue(child, pointer + pointerStep(key), faults)]),
    );
  }
  if (value.null_value === undefined) faults.push({ pointer, detail: 'is a Value without a kind' });
  return null;
}

export function valueOfJson(json: Json): ProtoValue {
  if (json === null) return { null_value: 'NULL_VALUE' };
  if (typeof json === 'number') return { number_value: json };
  if (typeof json === 'string') return { string_value: wellFormed(json) };
  if (typeof json === 'boolean') return { bool_value: json };
  if (Array.isArray(json)) return { list_value: { values: json.map(valueOfJson) } };
  const fields = Object.fromEntries(Object.entries(json).map(([key, child]) => [wellFormed(key), valueOfJson(child)]));
  return { struct_value: { fields } };
}

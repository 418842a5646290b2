// google.protobuf.Value from and to JSON. A Value can say more than JSON (NaN, no kind at all) and protobuf readers
// nest less deeply, so both directions have something to refuse. Keys named `__proto__` stay plain keys.

import type { FieldFault } from '../../domain/errors.ts';
import type { Json } from '../../domain/task.ts';
import { wellFormed } from '../../domain/well-formed.ts';
import { pointerStep } from '../api/invalid-request.ts';
import { serverLimits } from '../server-limits.ts';

/**
 * As @grpc/proto-loader reads and writes it: exactly the member of the kind that is set. The names are those of protobufjs,
 * which brings the well-known types itself and leaves them in camel case whatever is asked for.
 */
export interface ProtoValue {
  readonly nullValue?: unknown;
  readonly numberValue?: number;
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly structValue?: { readonly fields?: Readonly<Record<string, ProtoValue>> };
  readonly listValue?: { readonly values?: readonly ProtoValue[] };
}

/**
 * `faults` gets a line for each place that is no JSON, until there are enough of them; the result is of use only where there
 * is none.
 */
export function jsonOfValue(value: ProtoValue, pointer: string, faults: FieldFault[]): Json {
  if (value.numberValue !== undefined) {
    if (!Number.isFinite(value.numberValue)) addFault({ pointer, detail: 'is no finite number' }, faults);
    return value.numberValue;
  }
  if (value.stringValue !== undefined) return value.stringValue;
  if (value.boolValue !== undefined) return value.boolValue;
  if (value.listValue) {
    return (value.listValue.values ?? []).map((item, place) => jsonBelow(item, pointer, place, faults));
  }
  if (value.structValue) {
    const members = Object.entries(value.structValue.fields ?? {});
    // fromEntries defines keys instead of assigning them, which would lose `__proto__`.
    return Object.fromEntries(members.map(([key, child]) => [key, jsonBelow(child, pointer, key, faults)]));
  }
  if (value.nullValue === undefined) addFault({ pointer, detail: 'is a Value without a kind' }, faults);
  return null;
}

/** A payload has room for half a million values: each is put into words only where something is wrong below it. */
function jsonBelow(child: ProtoValue, pointer: string, step: string | number, faults: FieldFault[]): Json {
  const before = faults.length;
  const json = jsonOfValue(child, '', faults);
  if (faults.length === before) return json;
  for (const fault of faults.splice(before)) {
    faults.push({ ...fault, pointer: pointer + pointerStep(step) + fault.pointer });
  }
  return json;
}

function addFault(fault: FieldFault, faults: FieldFault[]): void {
  if (faults.length < serverLimits.faultsMax) faults.push(fault);
}

export function valueOfJson(json: Json): ProtoValue {
  if (json === null) return { nullValue: 'NULL_VALUE' };
  if (typeof json === 'number') return { numberValue: json };
  if (typeof json === 'string') return { stringValue: wellFormed(json) };
  if (typeof json === 'boolean') return { boolValue: json };
  if (Array.isArray(json)) return { listValue: { values: json.map(valueOfJson) } };
  const fields = Object.fromEntries(Object.entries(json).map(([key, child]) => [wellFormed(key), valueOfJson(child)]));
  return { structValue: { fields } };
}

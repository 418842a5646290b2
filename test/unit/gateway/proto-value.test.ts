// Goal: JSON survives the way through google.protobuf.Value, and what is no JSON is refused by place. Method: any JSON
// through the real serializer and back, and examples of what only protobuf can say.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MessageTypeDefinition } from '@grpc/proto-loader';
import fc from 'fast-check';
import type { FieldFault } from '../../../domain/errors.ts';
import type { Json } from '../../../domain/task.ts';
import { loadProtocol } from '../../../gateway/grpc/grpc-protocol.ts';
import { millisecondsOfDuration, millisecondsOfTimestamp, timestampOf } from '../../../gateway/grpc/proto-time.ts';
import { jsonOfValue, type ProtoValue, valueOfJson } from '../../../gateway/grpc/proto-value.ts';

const valueType = loadProtocol()['google.protobuf.Value'] as MessageTypeDefinition<object, ProtoValue>;

function overTheWire(json: Json): Json {
  const faults: FieldFault[] = [];
  const back = jsonOfValue(valueType.deserialize(valueType.serialize(valueOfJson(json))), '', faults);
  assert.deepEqual(faults, []);
  return back;
}

function faultsOf(value: ProtoValue): FieldFault[] {
  const faults: FieldFault[] = [];
  jsonOfValue(value, '', faults);
  return faults;
}

describe('a Value', () => {
  it('carries any JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const json = JSON.parse(JSON.stringify(value)) as Json;
        assert.deepEqual(overTheWire(json), json);
      }),
    );
  });

  it('carries empty things and a key __proto__', () => {
    for (const text of ['{}', '[]', '[[],{}]', '""', '0', 'false', '[null]', '{"__proto__":{"a":1},"":[]}']) {
      assert.equal(JSON.stringify(overTheWire(JSON.parse(text))), text);
    }
  });

  it('gets half a surrogate pair as a replacement character', () => {
    assert.equal(overTheWire('a\ud800b'), 'a\ufffdb');
  });

  it('that is no JSON is refused with its place', () => {
    const nan = { listValue: { values: [{ numberValue: 1 }, { numberValue: Number.NaN }] } };
    assert.deepEqual(faultsOf(nan), [{ pointer: '/1', detail: 'is no finite number' }]);
    assert.equal(faultsOf({ numberValue: Number.POSITIVE_INFINITY }).length, 1);
    const noKind = { structValue: { fields: { 'a/b': {} } } };
    assert.deepEqual(faultsOf(noKind), [{ pointer: '/a~1b', detail: 'is a Value without a kind' }]);
  });
});

describe('protobuf times', () => {
  it('become milliseconds and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 }), (ms) => {
        assert.equal(millisecondsOfTimestamp(timestampOf(ms)), ms);
      }),
    );
    assert.equal(millisecondsOfDuration({ seconds: 1, nanos: 500_000_000 }), 1500);
    assert.equal(millisecondsOfDuration({}), 0);
  });

  it('are refused where they are not valid', () => {
    for (const bad of [{ seconds: 1e15 }, { nanos: -1 }, { nanos: 1e9 }, { seconds: Number.NaN }]) {
      assert.equal(millisecondsOfTimestamp(bad), null);
    }
    for (const bad of [{ seconds: -1 }, { nanos: -1 }, { nanos: 1e9 }]) assert.equal(millisecondsOfDuration(bad), null);
  });
});

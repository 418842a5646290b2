// Goal: what is written reads back, and looks on the wire as ZooKeeper's own clients write it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { JuteReader, JuteWriter } from '../../../coordination/jute.ts';
import { multiRequest, setWatchesRequest } from '../../../coordination/zookeeper-requests.ts';

const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

test('everything reads back as it was written, also when the buffer had to grow', () => {
  const bytes = fc.uint8Array({ maxLength: 2000 }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(int, long, fc.boolean(), fc.string({ unit: 'grapheme', maxLength: 500 }), bytes, (i, l, b, s, d) => {
      const written = new JuteWriter().int(i).long(l).bool(b).string(s).buffer(d).int(7);
      const reader = new JuteReader(written.bytes());
      assert.deepEqual(
        [reader.int(), reader.long(), reader.bool(), reader.string(), reader.buffer(), reader.int()],
        [i, l, b, s, d, 7],
      );
      assert.equal(written.length, written.bytes().length);
    }),
  );
});

test('on the wire: big-endian, lengths in bytes, empty data as null', () => {
  const hex = (writer: JuteWriter) => writer.bytes().toString('hex');
  assert.equal(hex(new JuteWriter().int(-2)), 'fffffffe');
  assert.equal(hex(new JuteWriter().long(1n)), '0000000000000001');
  assert.equal(hex(new JuteWriter().bool(true).bool(false)), '0100');
  assert.equal(hex(new JuteWriter().string('é')), '00000002c3a9');
  assert.equal(hex(new JuteWriter().buffer(Buffer.alloc(0))), 'ffffffff');
});

test('null reads as empty, and a packet that is too short is a RangeError', () => {
  const nulls = new JuteWriter().int(-1).int(-1).int(-1).bytes();
  const reader = new JuteReader(nulls);
  assert.deepEqual([reader.string(), reader.buffer(), reader.strings()], ['', Buffer.alloc(0), []]);
  assert.throws(() => new JuteReader(Buffer.alloc(3)).int(), RangeError);
});

test('data that is handed out is a copy, so that it does not keep its packet', () => {
  const packet = new JuteWriter().buffer(Buffer.from('data')).bytes();
  const data = new JuteReader(packet).buffer();
  packet.fill(0);
  assert.equal(data.toString(), 'data');
});

test('a Stat, field by field', () => {
  const writer = new JuteWriter().long(1n).long(2n).long(1_700_000_000_000n).long(4n).int(5).int(-6).int(7);
  const stat = new JuteReader(writer.long(-8n).int(9).int(10).long(11n).bytes()).stat();
  const numbers = { ctime: 1_700_000_000_000, mtime: 4, version: 5, cversion: -6, numChildren: 10 };
  assert.deepEqual(stat, { czxid: 1n, mzxid: 2n, pzxid: 11n, ephemeralOwner: -8n, ...numbers });
});

test('a transaction as the Java client writes it: version 0 stays 0, any is -1', () => {
  const operations = [
    { kind: 'check', path: '/a', version: 0 },
    { kind: 'remove', path: '/a', version: null },
  ] as const;
  const header = (opcode: number) => new JuteWriter().int(opcode).bool(false).int(-1).string('/c/a').bytes();
  const end = new JuteWriter().int(-1).bool(true).int(-1).bytes();
  const expected = [header(13), new JuteWriter().int(0).bytes(), header(2), new JuteWriter().int(-1).bytes(), end];
  assert.deepEqual(multiRequest(operations, 'world', '/c').body, Buffer.concat(expected));
});

test('who may touch what is created: everybody, or its creator', () => {
  const operation = { kind: 'create', path: '/a', data: Buffer.from('d'), mode: 'ephemeral' } as const;
  for (const [access, scheme, id] of [
    ['world', 'world', 'anyone'],
    ['creator', 'auth', ''],
  ] as const) {
    const writer = new JuteWriter().int(1).bool(false).int(-1).string('/a').buffer(operation.data);
    writer.int(1).int(31).string(scheme).string(id).int(1).int(-1).bool(true).int(-1);
    assert.deepEqual(multiRequest([operation], access, '').body, writer.bytes());
  }
});

test('watches that are set again: since when, then data, existence, children', () => {
  const writer = new JuteWriter().long(9n).int(1).string('/d').int(2).string('/e').string('/f').int(0);
  assert.deepEqual(setWatchesRequest(9n, ['/d'], ['/e', '/f']).body, writer.bytes());
});

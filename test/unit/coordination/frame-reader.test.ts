// Goal: whatever way the bytes come in pieces, the packets come out whole, in order, and at linear cost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameReader } from '../../../coordination/frame-reader.ts';

function framed(body: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

/** `stream` in pieces that end at `cuts`. */
function piecesOf(stream: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
  return [...ends, stream.length].map((end, i) => stream.subarray(i === 0 ? 0 : ends[i - 1], end));
}

function read(pieces: readonly Buffer[]): Buffer[] {
  const reader = new FrameReader();
  const packets: Buffer[] = [];
  for (const piece of pieces) reader.push(piece, (packet) => packets.push(Buffer.from(packet)));
  return packets;
}

test('packets come out as they went in, however the stream is cut', () => {
  const bodies = fc.array(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(bodies, fc.array(fc.nat(2000), { maxLength: 60 }), (packets, cuts) => {
      const whole = packets.map(framed);
      assert.deepEqual(read(piecesOf(Buffer.concat(whole), cuts)), whole);
    }),
  );
});

test('a packet is handed on with the piece that completes it, and not before', () => {
  const reader = new FrameReader();
  const seen: number[] = [];
  const take = (packet: Buffer) => seen.push(packet.length);
  const stream = Buffer.concat([framed(Buffer.alloc(3)), framed(Buffer.alloc(5))]);
  for (const [i, byte] of stream.entries()) {
    reader.push(Buffer.from([byte]), take);
    assert.equal(seen.length, (i >= 6 ? 1 : 0) + (i >= 15 ? 1 : 0));
  }
});

test('an absurd length is an error', () => {
  for (const bytes of [[0xff, 0xff, 0xff, 0xff], Buffer.from('HTTP')]) {
    assert.throws(() => new FrameReader().push(Buffer.from(bytes), () => undefined), RangeError);
  }
});

/** Bytes that Buffer.concat copied while `run` ran: the reader has no other way of copying. */
function bytesCopied(run: () => void): number {
  const original = Buffer.concat;
  let copied = 0;
  Buffer.concat = (...args: Parameters<typeof original>) => {
    const joined = original(...args);
    copied += joined.length;
    return joined;
  };
  try {
    run();
  } finally {
    Buffer.concat = original;
  }
  return copied;
}

const chunkBytes = 64 * 1024;

test('a burst of small packets and one big reply: no byte is copied more than twice', () => {
  const small = Buffer.concat(Array.from({ length: 50_000 }, () => framed(Buffer.alloc(60))));
  const big = framed(Buffer.alloc(8 * 1024 * 1024));
  for (const stream of [small, big]) {
    const cuts = Array.from({ length: Math.floor(stream.length / chunkBytes) }, (_, i) => (i + 1) * chunkBytes);
    const pieces = piecesOf(stream, cuts);
    let packets = 0;
    const copied = bytesCopied(() => {
      const reader = new FrameReader();
      for (const piece of pieces) {
        reader.push(piece, () => {
          packets += 1;
        });
      }
    });
    assert.equal(packets, stream === small ? 50_000 : 1);
    assert.ok(copied <= 2 * stream.length, `${copied} bytes copied of ${stream.length}`);
  }
});

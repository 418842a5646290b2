// Goal: however a command prints, what is kept is a beginning of it, on character borders, within the limits, and marked
// as cut exactly when it was. Method: random text in random pieces, and the worst texts by hand.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../../domain/limits.ts';
import { OutputCapture, shellResult } from '../../../services/worker/handlers/shell-output.ts';

function captured(bytes: Buffer, headBytesMax: number, pieceBytes = 7, tailBytesMax = 0): OutputCapture {
  const capture = new OutputCapture(headBytesMax, tailBytesMax);
  for (let at = 0; at < bytes.length; at += pieceBytes) capture.add(bytes.subarray(at, at + pieceBytes));
  return capture;
}

const anyText = fc.string({ unit: 'grapheme', maxLength: 60 });

test('the head is a beginning of whole characters, as long as it can be', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 9 }), (text, max, piece) => {
      const bytes = Buffer.from(text);
      const head = captured(bytes, max, piece).head();
      assert.ok(text.startsWith(head.text));
      assert.ok(Buffer.byteLength(head.text) <= max);
      assert.equal(head.isTruncated, bytes.length > max);
      assert.ok(Buffer.byteLength(head.text) > Math.min(bytes.length, max) - 4);
    }),
  );
});

test('the tail is an end of whole characters', () => {
  fc.assert(
    fc.property(anyText, fc.integer({ min: 4, max: 80 }), (text, max) => {
      const tail = captured(Buffer.from(text), 1, 7, max).tail();
      assert.ok(text.endsWith(tail));
      assert.ok(Buffer.byteLength(tail) <= max);
    }),
  );
});

test('bytes that are no UTF-8 do not grow past the limit', () => {
  const head = captured(Buffer.alloc(100, 0xff), 100).head();
  assert.equal(head.text, '\ufffd'.repeat(33));
  assert.equal(head.isTruncated, true);
});

test('short output is kept whole, without flags', () => {
  const result = shellResult({ text: 'out\n', isTruncated: false }, { text: 'err\n', isTruncated: false });
  assert.deepEqual(result, { exitCode: 0, stdout: 'out\n', stderr: 'err\n' });
});

test('any two outputs fit the result, and each flag says whether something is missing', () => {
  const unit = fc.constantFrom('a', '"', '\u0000', '\n', 'é', '€', '😀', '\u007f');
  const output = fc
    .tuple(unit, fc.integer({ min: 0, max: limits.shellOutputBytesMax }))
    .map(([character, bytes]) => character.repeat(Math.floor(bytes / Buffer.byteLength(character))));
  fc.assert(
    fc.property(output, output, (stdout, stderr) => {
      const result = shellResult({ text: stdout, isTruncated: false }, { text: stderr, isTruncated: false });
      assert.ok(Buffer.byteLength(JSON.stringify(result)) <= limits.resultBytesMax);
      assert.ok(stdout.startsWith(result.stdout) && stderr.startsWith(result.stderr));
      assert.equal('stdoutTruncated' in result, result.stdout.length < stdout.length);
      assert.equal('stderrTruncated' in result, result.stderr.length < stderr.length);
    }),
    { numRuns: 50 },
  );
});

test('room that one output does not need goes to the other', () => {
  const zeros = '\u0000'.repeat(40_000);
  const alone = shellResult({ text: zeros, isTruncated: false }, { text: '', isTruncated: false });
  assert.equal(alone.stdout.length, 40_000);
  const both = shellResult({ text: zeros, isTruncated: false }, { text: zeros, isTruncated: false });
  assert.equal(both.stdout.length, both.stderr.length);
  assert.ok(both.stdout.length > 21_000);
});

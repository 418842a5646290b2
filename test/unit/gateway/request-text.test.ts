// Goal: the small texts of a request (waits, preferences, keys, times, ids) are read as their rules say and no other way.
// Method: tables of examples on both sides of each rule.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServiceError } from '../../../domain/errors.ts';
import { parseIdempotencyKeyHeader } from '../../../gateway/api/idempotency-key.ts';
import { formatRfc3339, parseRfc3339 } from '../../../gateway/api/rfc3339.ts';
import { parseTaskId } from '../../../gateway/api/task-id.ts';
import { parseWait } from '../../../gateway/api/wait-time.ts';
import { preferredWaitMs, waitApplied } from '../../../gateway/http/prefer-header.ts';

function refuses(reason: string, action: () => unknown): void {
  assert.throws(action, (error) => error instanceof ServiceError && error.reason === reason);
}

describe('wait', () => {
  const waits: [string, number][] = [
    ['10s', 10_000],
    ['500ms', 500],
    ['30', 30_000],
    ['1.5', 1500],
    ['0.25s', 250],
    ['1m', 60_000],
    ['0', 0],
    ['61', 60_000],
    ['99999999999999999999999m', 60_000],
  ];
  for (const [text, ms] of waits) it(`${text} is ${ms} ms`, () => assert.equal(parseWait(text), ms));
  for (const text of ['', ' ', 'ten', '10sec', '-1', '+1', '1e3', '.5', '5.', '1h', '10 s', '1s ', '０', 'NaN', 'ms']) {
    it(`${JSON.stringify(text)} is none`, () => refuses('invalid-request', () => parseWait(text)));
  }
});

describe('Prefer', () => {
  const headers: [string | undefined, number | null][] = [
    [undefined, null],
    ['', null],
    ['wait=10', 10_000],
    ['Wait = "7"', 7000],
    ['respond-async, wait=10', 10_000],
    ['respond-async; foo="a, wait=3", wait=10; x=y', 10_000],
    ['wait=5, wait=9', 5000],
    ['wait=100', 60_000],
    ['wait=0', 0],
    ['wait', null],
    ['wait=10s', null],
    ['wait=-1', null],
    ['wait=1.5', null],
    ['handling=lenient', null],
    [',,;;=""', null],
    ['"unclosed, wait=4', 4000],
  ];
  for (const [header, ms] of headers) {
    it(`${JSON.stringify(header)} asks for ${ms}`, () => assert.equal(preferredWaitMs(header), ms));
  }
  it('is told to be honoured in seconds', () => assert.equal(waitApplied(60_000), 'wait=60'));
});

describe('Idempotency-Key', () => {
  const keys: [string[], string | null][] = [
    [[], null],
    [['abc'], 'abc'],
    [['"abc"'], 'abc'],
    [['"a\\"b\\\\c"'], 'a"b\\c'],
    [['a"b'], 'a"b'],
    [['a b, c'], 'a b, c'],
    [['x'.repeat(255)], 'x'.repeat(255)],
    [[`"${'x'.repeat(255)}"`], 'x'.repeat(255)],
  ];
  for (const [lines, key] of keys) {
    it(`${JSON.stringify(lines).slice(0, 40)}`, () => assert.equal(parseIdempotencyKeyHeader(lines), key));
  }
  const bad = [
    [''],
    ['""'],
    ['"abc'],
    ['"a"b"'],
    ['"a\\b"'],
    ['"a";p'],
    ['ü'],
    ['a\tb'],
    ['x'.repeat(256)],
    ['a', 'a'],
  ];
  for (const lines of bad) {
    it(`refuses ${JSON.stringify(lines).slice(0, 40)}`, () =>
      refuses('invalid-request', () => parseIdempotencyKeyHeader(lines)));
  }
});

describe('RFC 3339', () => {
  const times: [string, string][] = [
    ['2026-01-31T09:30:00Z', '2026-01-31T09:30:00.000Z'],
    ['2026-01-31t09:30:00.5z', '2026-01-31T09:30:00.500Z'],
    ['2026-01-31T09:30:00.123999+01:30', '2026-01-31T08:00:00.123Z'],
    ['2024-02-29T23:59:59-00:30', '2024-03-01T00:29:59.000Z'],
  ];
  for (const [text, utc] of times) {
    it(text, () => assert.equal(formatRfc3339(parseRfc3339(text) ?? Number.NaN), utc));
  }
  const none = [
    '',
    '2026-01-31',
    '2026-01-31 09:30:00Z',
    '2026-01-31T09:30Z',
    '2026-01-31T09:30:00',
    '2026-1-31T09:30:00Z',
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-00-01T00:00:00Z',
    '2026-01-31T24:00:00Z',
    '2026-01-31T09:60:00Z',
    '2026-01-31T23:59:60Z',
    '2026-01-31T09:30:00.Z',
    '2026-01-31T09:30:00+25:00',
    '2026-01-31T09:30:00+0100',
    ' 2026-01-31T09:30:00Z',
    '2026-01-31T09:30:00Z\n',
    '+002026-01-31T09:30:00Z',
    'Sat, 31 Jan 2026 09:30:00 GMT',
  ];
  for (const text of none) it(`not ${JSON.stringify(text)}`, () => assert.equal(parseRfc3339(text), null));
});

describe('a task id', () => {
  it('is task- and a number, however a person wrote it', () => {
    assert.equal(parseTaskId('task-0000000042'), 'task-0000000042');
    assert.equal(parseTaskId('task-42'), 'task-42');
    assert.equal(parseTaskId('task-12345678901'), 'task-12345678901');
  });
  const none = ['', 'task-', 'task-000000004x', 'TASK-0000000042', 'task-0000000042\n', '../tasks', '..', 'status'];
  for (const text of [...none, 'task-0000000042/status', '\0', 'task-٠٠٠٠٠٠٠٠٠٠', `task-${'1'.repeat(5000)}`]) {
    it(`not ${JSON.stringify(text).slice(0, 40)}`, () => refuses('task-not-found', () => parseTaskId(text)));
  }
});

// Goal: `npm start` shows logs that a person can read. Method: examples.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderLogLine } from '../../../scripts/log-line.ts';

test('time, process, message and fields; level only where it matters', () => {
  const line = {
    level: 30,
    time: '2025-01-02T03:04:05.678Z',
    process: 'worker-1',
    msg: 'registered',
    slots: 16,
    types: ['echo'],
  };
  assert.equal(
    renderLogLine('worker-1', JSON.stringify(line)),
    '03:04:05 worker-1  registered slots=16 types=["echo"]',
  );
  const error = {
    ...line,
    level: 50,
    msg: 'lost',
    err: { message: 'connection refused', stack: 'Error: ...' },
    slots: undefined,
    types: undefined,
  };
  assert.equal(renderLogLine('worker-1', JSON.stringify(error)), '03:04:05 worker-1  ERROR lost (connection refused)');
});

test('what is no JSON object is shown as it is', () => {
  for (const line of ['    at run (file.js:1:2)', '{broken', ''])
    assert.ok(renderLogLine('gateway', line).endsWith(line));
});

test('a long value is cut', () => {
  assert.ok(renderLogLine('gateway', JSON.stringify({ time: '', msg: 'm', v: 'x'.repeat(10_000) })).length < 300);
});

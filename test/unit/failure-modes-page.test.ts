// Goal: docs/failure-modes.md names, for each failure, a test that exists. Method: each link to a test file is followed by the beginnings
// of names of tests, in quotation marks; the file is there, and has them. A row of a failure without a test is a fault of the page.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const page = new URL('../../../docs/failure-modes.md', import.meta.url);
const text = readFileSync(page, 'utf8');
/** `[some-file](../test/…/some-file.test.ts) "name of a test", "another"`. */
const reference = /\]\((\.\.\/(?:test|chaos)\/[^)]+)\)((?:,? "[^"]+")*)/g;

test('each test that the page names is there', () => {
  const missing: string[] = [];
  let names = 0;
  for (const [, path = '', quoted = ''] of text.matchAll(reference)) {
    const file = fileURLToPath(new URL(path, page));
    if (!existsSync(file)) {
      missing.push(path);
      continue;
    }
    const source = readFileSync(file, 'utf8');
    for (const [, name = ''] of quoted.matchAll(/"([^"]+)"/g)) {
      names++;
      if (!source.includes(name)) missing.push(`${path}: ${name}`);
    }
  }
  assert.deepEqual(missing, []);
  assert.ok(names > 30, `the page names ${names} tests only: has the form of its references changed?`);
});

test('each failure in the tables has its test', () => {
  const tables = text.split('\n\n').filter((block) => block.startsWith('| failure |'));
  const rows = tables.flatMap((table) => table.trimEnd().split('\n').slice(2));
  assert.ok(rows.length > 20);
  assert.deepEqual(
    rows.filter((row) => !/\]\(\.\.\/(test|chaos)\//.test(row)).map((row) => row.split('|')[1]),
    [],
  );
});

// Goal: the diagram and the table of docs/task-life.md are those of the code, and the tests that it names are there. After a
// change on purpose: WRITE_TASK_LIFE=1 npm test -- task-life-page.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withLife } from '../../support/life-page.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const path = `${root}docs/task-life.md`;

test('the page shows the transitions as they are', () => {
  const page = readFileSync(path, 'utf8');
  if (process.env['WRITE_TASK_LIFE'] !== undefined) writeFileSync(path, withLife(page));
  else assert.equal(page, withLife(page));
});

test('the tests and sources that the page names exist', () => {
  const named = [...readFileSync(path, 'utf8').matchAll(/`((?:test|domain|services)\/[\w/.-]+\.ts)`/g)];
  assert.ok(named.length > 5);
  for (const [, file] of named) assert.ok(existsSync(`${root}${file}`), file);
});

// docs/audit.md has every rule once, under its severity, and no other.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { rules } from '../../../audit/finding.ts';

const page = readFileSync('docs/audit.md', 'utf8');

/** First cells of the rows of a section. */
function rulesIn(section: string): string[] {
  const text = page.split(/^## /m).find((each) => each.startsWith(section)) ?? '';
  return [...text.matchAll(/^\| `([a-z-]+)` \|/gm)].map((match) => match[1] as string);
}

test('every rule is on the page, and every rule of the page is one', () => {
  const told = ['Violations', 'Odd', 'What masters know', 'Where nothing is under way'].flatMap(rulesIn);
  assert.deepEqual(told.toSorted(), Object.keys(rules).toSorted());
});

test('every rule that a live system is asked has its remedy', () => {
  const live = page.split(/^## /m).filter((section) => /^(Violations|Odd|What masters know)/.test(section));
  const rows = live.flatMap((section) => section.match(/^\| `[a-z-]+` \|.*$/gm) ?? []);
  assert.ok(rows.length > 40);
  for (const row of rows) assert.match(row, /[^|\s] \|$/);
});

test('rules are told under their severity', () => {
  const of = (section: string) => [...new Set(rulesIn(section).map((rule) => rules[rule as keyof typeof rules]))];
  assert.deepEqual(of('Violations'), ['violation']);
  assert.deepEqual(of('Odd'), ['odd']);
  for (const [, rule, severity] of page.matchAll(/^\| `(picture-[a-z]+)` \| (\w+) \|/gm)) {
    assert.equal(rules[rule as keyof typeof rules], severity);
  }
});

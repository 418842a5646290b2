// Goal: whoever asks for a judgement of what is no run is told so, in one sentence. Method: folders that lack the one thing or the other.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { NothingToJudge, ReportFolder, readReport } from '../../../chaos/report.ts';
import { temporaryFolder } from '../../support/stack-handlers.ts';

function lacks(name: string) {
  return (error: unknown) => error instanceof NothingToJudge && error.message.includes(`has no ${name}: `);
}

test('a folder that is not there, one of a run that was cut off, and one whose record was removed', (t) => {
  const folder = temporaryFolder(t);
  assert.throws(() => readReport(join(folder, 'nowhere')), lacks('record.jsonl'));
  const report = new ReportFolder(join(folder, 'run'));
  report.close();
  assert.throws(() => readReport(report.path), lacks('tree.jsonl'));
  writeFileSync(join(folder, 'tree.jsonl'), '');
  assert.throws(() => readReport(folder), lacks('record.jsonl'));
});

// Goal: what a handler or a command did is read back as it happened, however it ended.
// Method: the modules as a worker loads them, called with contexts that are made up; commands under a real shell; files that were torn.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { EvidencePayloads, EvidenceType, HandlerContext } from '../../../chaos/evidence/evidence-handler.ts';
import { evidenceFile, writeEvidenceHandlers } from '../../../chaos/evidence/evidence-modules.ts';
import { readEvidence } from '../../../chaos/evidence/read-evidence.ts';
import { type ShellEvidence, shellCommand } from '../../../chaos/evidence/shell-evidence.ts';
import { eventually } from '../../support/eventually.ts';
import { temporaryFolder } from '../../support/stack-handlers.ts';

const run = { taskId: 'task-0000000007', attempt: 2, fencingToken: '41' };
const told = { task: 'task-0000000007', attempt: 2, token: '41', pid: process.pid };

describe('the evidence of a handler', () => {
  const cases: { [T in EvidenceType]?: [EvidencePayloads[T], 'returned' | 'threw'] } = {
    quick: [null, 'returned'],
    long: [{ ms: 120 }, 'returned'],
    flaky: [{ succeedsAt: 3 }, 'threw'],
    deaf: [{ ms: 120 }, 'returned'],
    blocking: [{ ms: 120 }, 'returned'],
    big: [{ characters: 10 }, 'returned'],
  };
  for (const [type, [payload, how]] of Object.entries(cases)) {
    it(`of type ${type} begins, goes on while it acts, and ends`, async (t) => {
      const folder = temporaryFolder(t);
      const result = await call(folder, type, payload, new AbortController().signal).catch(() => null);
      const lines = readEvidence(evidenceFile(folder));
      assert.deepEqual([lines.at(0)?.line, lines.at(-1)?.line, lines.at(-1)?.how], ['start', 'end', how]);
      for (const { task, attempt, token, pid } of lines) assert.deepEqual({ task, attempt, token, pid }, told);
      if (payload !== null && 'ms' in payload) assert.ok(lines.some((line) => line.line === 'beat'));
      const { token, attempt, pid } = told;
      if (how === 'returned') assert.deepEqual({ ...result, filling: null }, { token, attempt, pid, filling: null });
    });
  }

  it('says that its signal ended it', async (t) => {
    const folder = temporaryFolder(t);
    const controller = new AbortController();
    const running = call(folder, 'long', { ms: 60_000 }, controller.signal);
    controller.abort();
    await assert.rejects(running);
    assert.equal(readEvidence(evidenceFile(folder)).at(-1)?.how, 'aborted');
  });
});

describe('the evidence of a command', () => {
  const manners = [
    { isDeaf: false, isChild: false },
    { isDeaf: true, isChild: true },
  ];
  for (const manner of manners) {
    it(`is its own, of the run that its environment names: ${JSON.stringify(manner)}`, async (t) => {
      const file = join(temporaryFolder(t), 'evidence');
      const shell = start(file, { ms: 60, ...manner });
      assert.deepEqual(await once(shell, 'exit'), [0, null]);
      const lines = readEvidence(file);
      assert.deepEqual([lines.at(0)?.line, lines.at(-1)?.how], ['start', 'returned']);
      for (const { task, attempt, token, pid } of lines) assert.deepEqual({ task, attempt, token, pid }, told);
    });
  }

  it('has no end where it was killed', async (t) => {
    const file = join(temporaryFolder(t), 'evidence');
    const shell = start(file, { ms: 60_000, isDeaf: false, isChild: false });
    await eventually('it has begun', () => readEvidence(file).length > 0);
    shell.kill('SIGKILL');
    await once(shell, 'exit');
    assert.notEqual(readEvidence(file).at(-1)?.line, 'end');
  });

  it('says that SIGTERM ended it', async (t) => {
    const file = join(temporaryFolder(t), 'evidence');
    const shell = start(file, { ms: 60_000, isDeaf: false, isChild: false });
    await eventually('it has begun', () => readEvidence(file).length > 0);
    shell.kill('SIGTERM');
    await once(shell, 'exit');
    assert.equal(readEvidence(file).at(-1)?.how, 'aborted');
  });
});

describe('a file of evidence', () => {
  const line = { kind: 'run', line: 'start', ...told, at: 12.5 };

  it('may end in the middle of a line', (t) => {
    const file = torn(t, `${JSON.stringify(line)}\n`);
    appendFileSync(file, '{"kind":"run","line":"be');
    assert.deepEqual(readEvidence(file), [line]);
  });

  it('need not be there', (t) => {
    assert.deepEqual(readEvidence(join(temporaryFolder(t), 'none')), []);
  });

  it('has no nonsense before its last line', (t) => {
    assert.throws(() => readEvidence(torn(t, `{"kind":\n${JSON.stringify(line)}\n`)), SyntaxError);
  });
});

async function call(folder: string, type: string, payload: unknown, signal: AbortSignal): Promise<object> {
  const module = await import(pathToFileURL(join(writeEvidenceHandlers(folder), `${type}.mjs`)).href);
  const context: HandlerContext = { ...run, signal, progress: () => undefined };
  return await module.default(payload, context);
}

function start(file: string, evidence: ShellEvidence) {
  const env = { TASKKEEPER_TASK_ID: run.taskId, TASKKEEPER_ATTEMPT: '2', TASKKEEPER_FENCING_TOKEN: '41' };
  return spawn('/bin/sh', ['-c', shellCommand(file, evidence)], { env, stdio: 'ignore' });
}

function torn(t: TestContext, text: string): string {
  const file = join(temporaryFolder(t), 'evidence');
  writeFileSync(file, text);
  return file;
}

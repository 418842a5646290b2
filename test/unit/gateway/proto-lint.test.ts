// Goal: the .proto keeps to buf's STANDARD rules, has a comment on everything, is formatted, and does not break clients of
// the last release. Method: buf itself, on the sources; and, that the last of these can fail, on a temporary repository.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { onCleanup, type TestScope } from '../../support/cleanup.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const bufProgram = join(root, 'node_modules', '.bin', 'buf');
const protoFile = join('proto', 'taskkeeper', 'v1', 'task_service.proto');

interface Outcome {
  readonly isClean: boolean;
  readonly output: string;
}

function run(program: string, args: readonly string[], cwd: string): Outcome {
  // What a git hook may have set would point git elsewhere.
  const { GIT_DIR: _, GIT_INDEX_FILE: __, GIT_WORK_TREE: ___, ...env } = process.env;
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  if (error) throw error;
  return { isClean: status === 0, output: `${stdout}${stderr}`.trim() };
}

const buf = (args: readonly string[], cwd = root) => run(bufProgram, args, cwd);
const git = (args: readonly string[], cwd: string) => run('git', args, cwd);

/** Null where there is nothing to compare with; `why` says what is missing. */
function lastTag(cwd: string): { readonly tag: string | null; readonly why: string } {
  if (!existsSync(join(cwd, '.git'))) return { tag: null, why: 'this is no git checkout' };
  const { isClean, output } = git(['describe', '--tags', '--abbrev=0', 'HEAD'], cwd);
  return { tag: isClean ? output : null, why: 'there is no tag yet' };
}

/** The repository that `cwd` is a checkout of: buf knows no worktrees. */
function breakingSince(tag: string, cwd: string): Outcome {
  const { output: gitDir } = git(['rev-parse', '--path-format=absolute', '--git-common-dir'], cwd);
  return buf(['breaking', '--against', `${gitDir}#tag=${tag}`], cwd);
}

test('it lints clean', () => {
  assert.deepEqual(buf(['lint']), { isClean: true, output: '' });
});

test('it is formatted', () => {
  assert.deepEqual(buf(['format', '--diff', '--exit-code']), { isClean: true, output: '' });
});

test('the descriptors that reflection answers with are those of the .proto: npm run proto', () => {
  const sources = { descriptors: 'proto', 'health-descriptors': 'node_modules/grpc-health-check/proto' };
  for (const [name, source] of Object.entries(sources)) {
    const args = ['build', source, '--as-file-descriptor-set', '--exclude-source-info', '-o', '-#format=binpb'];
    const { stdout } = spawnSync(bufProgram, args, { cwd: root });
    assert.ok(stdout.equals(readFileSync(join(root, 'proto', `${name}.binpb`))), name);
  }
});

test('it breaks no client of the last release', (t) => {
  const { tag, why } = lastTag(root);
  if (tag === null) {
    t.diagnostic(`nothing to compare with: ${why}`);
    return;
  }
  assert.deepEqual(breakingSince(tag, root), { isClean: true, output: '' });
});

test('a break would be seen, and so would a comment that is missing', (t) => {
  const copy = releasedCopy(t);
  assert.deepEqual(lastTag(copy), { tag: 'v1.0.0', why: 'there is no tag yet' });
  assert.deepEqual(breakingSince('v1.0.0', copy), { isClean: true, output: '' });
  const path = join(copy, protoFile);
  const released = readFileSync(path, 'utf8');
  const moved = released.replace('string idempotency_key = 2;', 'string idempotency_key = 9;');
  assert.notEqual(moved, released);
  writeFileSync(path, moved);
  const broken = breakingSince('v1.0.0', copy);
  assert.equal(broken.isClean, false);
  assert.match(broken.output, /task_service\.proto.*field "2".*deleted/);
  writeFileSync(path, released.replace(/ {2}\/\/ Id of the task\.\n/, ''));
  const uncommented = buf(['lint'], copy);
  assert.match(uncommented.output, /Field "id" should have a non-empty comment/);
});

test('without a git checkout, or a tag, there is nothing to compare', (t) => {
  const copy = temporaryCopy(t);
  assert.equal(lastTag(copy).why, 'this is no git checkout');
  git(['init', '--quiet'], copy);
  assert.deepEqual(lastTag(copy), { tag: null, why: 'there is no tag yet' });
});

function temporaryCopy(scope: TestScope): string {
  const copy = mkdtempSync(join(tmpdir(), 'taskkeeper-proto-'));
  onCleanup(scope, () => rmSync(copy, { recursive: true }));
  cpSync(join(root, 'proto'), join(copy, 'proto'), { recursive: true });
  cpSync(join(root, 'buf.yaml'), join(copy, 'buf.yaml'));
  return copy;
}

function releasedCopy(scope: TestScope): string {
  const copy = temporaryCopy(scope);
  const author = ['-c', 'user.name=t', '-c', 'user.email=t@localhost', '-c', 'commit.gpgsign=false'];
  git(['init', '--quiet'], copy);
  git(['add', '.'], copy);
  git([...author, 'commit', '--quiet', '--no-verify', '-m', 'released'], copy);
  git([...author, 'tag', 'v1.0.0'], copy);
  return copy;
}

// Goal: the .proto is enough for a client that is not ours. Method: stubs that protoc makes of it for Debian's Python and
// grpcio, in a temporary folder; a program on them plays each scenario against real processes.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ensurePythonGrpc, type PythonGrpc } from '../../scripts/ensure-python-grpc.ts';
import { onCleanup, wholeFile } from '../support/cleanup.ts';
import { calmSessionMs, type Stack, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const scenarios = [
  ...['submit_and_wait', 'watch', 'watch_events', 'list_pages'],
  ...['cancel_retry_delete', 'order', 'system', 'errors', 'deadline_and_cancellation'],
];

const root = fileURLToPath(new URL('../../../', import.meta.url));
const python = join(root, 'test', 'python');
const found = ensurePythonGrpc();

if ('missing' in found) {
  const message = `a client in Python cannot be had here: ${found.missing}`;
  test('a client in Python', (t) => unavailable(t, message));
} else {
  const stubs = await stubsFor(found);
  const zookeeper = await startZooKeeper(wholeFile);
  const stack = await startStack(wholeFile, zookeeper, { sessionTimeoutMs: calmSessionMs });
  for (const scenario of scenarios) {
    test(`a client in Python: ${scenario.replaceAll('_', ' ')}`, () => play(found, stubs, stack, scenario));
  }
}

/** CI's machines can have everything, so there it is a failure. */
function unavailable(t: TestContext, message: string): void {
  assert.notEqual(process.env['CI'], 'true', message);
  t.skip(message);
}

async function stubsFor({ protoc, plugin }: PythonGrpc): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'taskkeeper-stubs-'));
  onCleanup(wholeFile, () => rmSync(folder, { recursive: true }));
  const output = [`--python_out=${folder}`, `--grpc_out=${folder}`, `--plugin=protoc-gen-grpc=${plugin}`];
  const proto = join(root, 'proto');
  await run(protoc, [`-I${proto}`, ...output, join('taskkeeper', 'v1', 'task_service.proto')]);
  await run(protoc, [`-I${python}`, `--python_out=${folder}`, 'google_rpc.proto']);
  return folder;
}

async function play({ python: program }: PythonGrpc, stubs: string, stack: Stack, scenario: string): Promise<void> {
  const script = join(python, 'task_client.py');
  await run(program, ['-B', script, stack.gateway.grpcAddress, scenario], { PYTHONPATH: stubs });
}

async function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  const child = spawn(program, args, { env: { PATH: process.env['PATH'], ...env }, timeout: 120_000 });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close');
  assert.equal(code, 0, `${program} ${args.join(' ')}\n${output}`);
}

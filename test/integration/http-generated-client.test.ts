// Goal: the OpenAPI document is good enough for others to program against: a typed client that a well-known generator makes of
// it, as it is served, compiles strictly and does the main job. Method: the client and a small program over it, compiled in a
// folder of their own, against a real stack; a program with wrong types does not compile.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { generateApi } from 'swagger-typescript-api';
import { onCleanup, wholeFile } from '../support/cleanup.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));
const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, { sessionTimeoutMs: calmSessionMs });
const folder = mkdtempSync(join(tmpdir(), 'taskkeeper-client-'));
onCleanup(wholeFile, () => rmSync(folder, { recursive: true, force: true }));

const program = `
import { Api, type Task } from './api.js';

const api = new Api({ baseUrl: process.argv[2] ?? '' });

const submitted = await api.tasks.submitTask(
  { type: 'echo', payload: { n: 1 }, labels: { by: 'client' } },
  { wait: '20s' },
);
const done: Task = submitted.data;
const waiting = await api.tasks.submitTask({ type: 'echo', delayMs: 3_600_000, labels: { by: 'client' } });
const cancelled = await api.tasks.cancelTask(waiting.data.id, { reason: 'no more' });
const final = await api.tasks.getTask(waiting.data.id, { wait: '20s' });
const order = { after: [0, waiting.data.id], afterFailure: 'run' as const, exclusiveKey: 'k', deadlineMs: 60_000 };
const batch = await api.tasks.submitTasks({ tasks: [{ type: 'echo' }, { type: 'echo', ...order }] });
const [first, second] = batch.data.tasks;

const listed: string[] = [];
let cursor: string | undefined;
do {
  const page = await api.tasks.listTasks({ label: ['by:client'], limit: 1, ...(cursor && { cursor }) });
  listed.push(...page.data.tasks.map((task) => task.id));
  cursor = page.data.nextCursor;
} while (cursor !== undefined);

const missing = await api.tasks.getTask('task-9999999999').catch((problem) => problem.error.status as number);
const removed = await api.tasks.deleteTask(done.id);
const queue = await api.queues.updateQueue('mail', { concurrency: 2, burst: null });
const { data: stats } = await api.stats.getStats();

console.log(JSON.stringify({
  done: [submitted.status, done.state, done.result],
  cancelled: [cancelled.status, final.data.state, final.data.error?.message],
  batch: batch.data.tasks.length,
  order: [second?.after.indexOf(first?.id ?? ''), second?.after.indexOf(waiting.data.id), second?.afterFailure, second?.exclusiveKey],
  listed: listed.length,
  missing,
  removed: removed.status,
  queue: [queue.data.name, queue.data.concurrency, queue.data.burst],
  workers: stats.workers,
}));
`;

const compilerOptions = {
  ...{ strict: true, noUncheckedIndexedAccess: true, noEmitOnError: true },
  ...{ target: 'es2023', lib: ['es2023', 'dom', 'dom.iterable'], module: 'nodenext' },
  ...{ types: ['node'], typeRoots: [join(root, 'node_modules/@types')], skipLibCheck: true },
};

before(async () => {
  const document = await fetch(`${stack.client.url}/openapi.json`);
  const spec = (await document.json()) as never;
  await generateApi({ spec, fileName: 'api.ts', output: folder, httpClientType: 'fetch', silent: true });
  // The generator tells the compiler to look away; it need not.
  const path = join(folder, 'api.ts');
  const generated = readFileSync(path, 'utf8');
  assert.match(generated, /^\/\/ @ts-nocheck$/m);
  writeFileSync(path, generated.replace(/^\/\/ @ts-nocheck$/m, ''));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
});

async function compile(source: string): Promise<string> {
  writeFileSync(join(folder, 'program.ts'), source);
  const compiler = join(root, 'node_modules/.bin/tsc');
  return await run(process.execPath, [compiler, '--project', folder]).then(
    () => 'no errors',
    (error: { stdout: string }) => error.stdout,
  );
}

test('the generated client compiles strictly and does the main job', { timeout: 120_000 }, async () => {
  assert.equal(await compile(program), 'no errors');
  const { stdout } = await run(process.execPath, [join(folder, 'program.js'), stack.client.url]);
  assert.deepEqual(JSON.parse(stdout), {
    done: [201, 'succeeded', { n: 1 }],
    cancelled: [202, 'cancelled', 'no more'],
    batch: 2,
    order: [0, 1, 'run', 'k'],
    listed: 2,
    missing: 404,
    removed: 204,
    queue: ['mail', 2, null],
    workers: 1,
  });
});

test('its types know the fields', { timeout: 60_000 }, async () => {
  const wrong = program.replace("type: 'echo', payload", "tpye: 'echo', payload");
  assert.match(await compile(wrong), /program\.ts.*error TS\d+:[^\n]*tpye/);
  const badState = `${program}\nconst never: 'done' = done.state;\n`;
  assert.match(await compile(badState), /program\.ts.*error TS2322/);
});

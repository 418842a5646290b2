// Goal: docs/api.md is true to the letter, and has every operation and every reason. Method: its examples are done in their
// order on a fresh stack, over HTTP and, with buf, over gRPC; answers are compared but for times and the like. After a
// change on purpose: WRITE_API_REFERENCE=1 npm test -- api-reference writes the answers, to be read before they are kept.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import type { ServiceDefinition } from '@grpc/proto-loader';
import { errorReasons } from '../../domain/errors.ts';
import { grpcCodeOf, httpStatusOf } from '../../gateway/error-mapping.ts';
import { loadProtocol, taskServiceName } from '../../gateway/grpc/grpc-protocol.ts';
import { openApiDocument } from '../../gateway/http/openapi.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { type Example, examplesOf, readable, steady, withAnswers } from '../support/reference-examples.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const reference = `${root}docs/api.md`;
const markdown = readFileSync(reference, 'utf8');
const examples = examplesOf(markdown);
const shownHeaders = ['Location', 'Preference-Applied', 'Retry-After', 'ETag', 'Allow', 'Content-Type'];

test('the examples are answered as they stand', { timeout: 180_000 }, async () => {
  const zookeeper = await startZooKeeper(wholeFile);
  const stack = await startStack(wholeFile, zookeeper, { workers: 0, sessionTimeoutMs: calmSessionMs });
  await stack.addWorker({ WORKER_ID: 'worker-1' });
  const { client, grpcAddress } = stack.gateway;
  const answers: string[] = [];
  for (const example of examples) {
    const work = () => void client.submit({ type: 'echo' });
    const ask = () => (example.kind === 'http' ? http(client.url, example, work) : grpc(grpcAddress, example, work));
    const answer = await (isOfTheIndex(example) ? settled(ask) : ask());
    answers.push(answer);
    if (process.env['WRITE_API_REFERENCE'] === undefined) {
      assert.equal(comparable(answer, example), comparable(example.answer ?? '', example), example.request);
    }
  }
  if (process.env['WRITE_API_REFERENCE'] !== undefined) writeFileSync(reference, withAnswers(markdown, answers));
});

test('every operation and every method has an example', () => {
  const document: { paths?: Record<string, object | undefined> } = openApiDocument;
  const shown = examples.map(({ request }) => request.split('\n')[0] ?? '');
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    const address = new RegExp(` ${path.replaceAll(/\{\w+\}/g, '[^/?]+')}(\\?.*)?$`);
    for (const method of Object.keys(item ?? {}).filter((name) => name !== 'parameters')) {
      const isShown = shown.some((line) => line.startsWith(`${method.toUpperCase()} `) && address.test(line));
      assert.ok(isShown || markdown.includes(`\`${path}\``), `${method} ${path}`);
    }
  }
  for (const method of Object.keys(loadProtocol()[taskServiceName] as ServiceDefinition)) {
    assert.ok(shown.includes(method), method);
  }
});

test('every reason is in the table, with what both faces say', () => {
  for (const reason of Object.keys(errorReasons) as (keyof typeof errorReasons)[]) {
    const row = new RegExp(`^\\| \`${reason}\` \\| ${httpStatusOf(reason)} \\| ${status[grpcCodeOf(reason)]} \\|`, 'm');
    assert.match(markdown, row);
  }
});

/** What the leading master answers may be some milliseconds old. */
function isOfTheIndex({ request }: Example): boolean {
  return /^(GET \/(tasks\?|tasks\/\S+\/explain|queues|workers|stats)|List|GetStats|Explain)/.test(request);
}

/** The answer that two requests in a row are given. */
async function settled(ask: () => Promise<string>): Promise<string> {
  let last = await ask();
  return eventually('the same answer twice', async () => {
    const answer = await ask();
    const isSettled = steady(answer) === steady(last);
    last = answer;
    return isSettled && answer;
  });
}

/** A task that is cancelled may be so already when the answer is written. */
function comparable(answer: string, { request }: Example): string {
  const text = steady(answer);
  if (!/cancel/i.test(request.split('\n')[0] ?? '')) return text;
  return text
    .replace(/"state": "[A-Z_]*(scheduled|queued|running|cancelled)"/i, '"state": <present or cancelled>')
    .replaceAll(/^ *"(nextAttemptAt|finishedAt|error)": ((null|"<time>"),?|\{.*\},?)\n/gm, '')
    .replaceAll(/,(\n *[}\]])/g, '$1');
}

/** `work` is done once the stream of all events is open, which then shows it. */
async function http(url: string, { request }: Example, work: () => void): Promise<string> {
  const [head = '', body] = request.split('\n\n');
  const [line = '', ...headerLines] = head.split('\n');
  const [method = '', path = ''] = line.split(' ');
  const headers = Object.fromEntries(headerLines.map((header) => header.split(': ') as [string, string]));
  const stop = new AbortController();
  const response = await fetch(url + path, {
    ...{ method, signal: stop.signal, headers: { ...(body && { 'Content-Type': 'application/json' }), ...headers } },
    ...(body && { body }),
  });
  const isEndless = path === '/events';
  if (isEndless) work();
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (isEndless && text.includes('"succeeded"')) break;
  }
  stop.abort();
  const shown = shownHeaders
    .map((name) => [name, response.headers.get(name)] as const)
    .filter(([name, value]) => value !== null && !(name === 'Content-Type' && value.startsWith('application/json')));
  const isJson = /^application\/(problem\+)?json/.test(response.headers.get('content-type') ?? '');
  return [
    `HTTP/1.1 ${response.status} ${response.statusText}`,
    ...shown.map(([name, value]) => `${name}: ${value}`),
    ...(text === '' ? [] : ['', isJson ? readable(JSON.parse(text)) : withoutComments(text)]),
  ].join('\n');
}

function withoutComments(stream: string): string {
  return stream.replaceAll(/^:.*\n+/gm, '').trimEnd();
}

/** Messages, or the error, as `buf curl` prints them. */
function grpc(address: string, { request }: Example, work: () => void): Promise<string> {
  const [method, message = '{}'] = request.split('\n\n');
  const isEndless = method === 'WatchEvents';
  const verbose = isEndless ? ['--verbose'] : []; // shows when the stream is open
  const args = ['curl', '--protocol', 'grpc', '--http2-prior-knowledge', ...verbose, '-d', message];
  const url = `http://${address}/taskkeeper.v1.TaskService/${method}`;
  const child = spawn(`${root}node_modules/.bin/buf`, [...args, url], { cwd: root, detached: true });
  let printed = '';
  let errors = '';
  let opened = false;
  return new Promise((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      printed += chunk;
      if (isEndless && printed.includes('TASK_STATE_SUCCEEDED')) process.kill(-(child.pid ?? 0)); // buf runs below a launcher
    });
    child.stderr.on('data', (chunk: Buffer) => {
      errors += chunk;
      if (!isEndless || opened || !/\(#2\) HTTP\/2.0 200/.test(errors)) return;
      opened = true; // the first call was that of reflection
      work();
    });
    child.on('close', () => {
      const documents = jsonDocuments(isEndless ? printed : printed + errors);
      resolve(documents.map((document) => readable(document)).join('\n'));
    });
  });
}

function jsonDocuments(printed: string): unknown[] {
  return printed
    .split(/(?<=^\})\n/m)
    .filter((text) => text.trim() !== '')
    .map((text) => JSON.parse(text));
}

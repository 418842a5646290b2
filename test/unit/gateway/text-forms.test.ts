// Goal: a text that does not fit is refused in words, on both faces, and nobody is shown a pattern. Method: texts that do not
// fit, sent to a gateway over HTTP and gRPC; and every pattern of the document that requests are checked by has words.

import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import type { Client } from '@grpc/grpc-js';
import { textForms, wordsOf } from '../../../gateway/api/text-forms.ts';
import { openApiDocument } from '../../../gateway/http/openapi.ts';
import { type HttpClient, httpClient } from '../../support/http-client.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';
import { call, connectTasks, failure } from './grpc-client.ts';

let gateway: TestGateway;
let http: HttpClient;
let grpc: Client;

before(async () => {
  gateway = await startTestGateway();
  http = httpClient(gateway.url);
  grpc = connectTasks(gateway.grpcAddress);
});

after(async () => {
  grpc.close();
  await gateway.drain();
});

const name = 'must be 1 to 64 of A-Z a-z 0-9 . _ -';
const printable = 'must be 1 to 255 printable ASCII characters';
const id = 'must be the id of a task, such as task-0000000042';
const x = { type: 'echo' };

const bodies: [method: string, address: string, body: object, detail: string][] = [
  ['POST', '/tasks', { type: 'a b' }, `/type ${name}.`],
  ['POST', '/tasks', { ...x, queue: '' }, `/queue ${name}.`],
  ['POST', '/tasks', { ...x, exclusiveKey: '' }, `/exclusiveKey ${printable}.`],
  ['POST', '/tasks', { ...x, idempotencyKey: 'ü' }, `/idempotencyKey ${printable}.`],
  ['POST', '/tasks', { ...x, after: ['5'] }, `/after/0 ${id}.`],
  ['POST', '/tasks', { ...x, labels: { 'a b': '' } }, '/labels/a b must be 1 to 64 of A-Z a-z 0-9 . _ / -.'],
  ['POST', '/tasks', { ...x, priority: '1' }, '/priority must be integer.'],
  ['POST', '/tasks/batch', { tasks: [{ ...x, after: ['task-'] }] }, `/tasks/0/after/0 ${id}.`],
  ['PUT', '/queues/..%20', {}, `The name of the queue, ".. ", ${name}, and neither . nor ...`],
  ['PUT', '/queues/q', { concurrency: '5' }, '/concurrency must be integer or null.'],
  [
    'PUT',
    '/schedules/a%20b',
    { everyMs: 1000, task: x },
    `The name of the schedule, "a b", ${name}, and neither . nor`,
  ],
  ['PUT', '/schedules/s', { everyMs: 1000, task: { type: '' } }, `/task/type ${name}.`],
];

for (const [method, address, body, detail] of bodies) {
  it(`${method} ${address} with ${JSON.stringify(body)}`, async () => {
    const answer = await http.send(method, address, body);
    assert.equal(answer.status, 400);
    assert.ok(answer.json.detail.includes(detail), answer.json.detail);
  });
}

const queries: [query: string, detail: string][] = [
  ['type=a%20b', `"type" ${name} (it was "a b").`],
  ['schedule=', `"schedule" ${name} (it was "").`],
  ['label=s', '"label" must be key:value, the key 1 to 64 of A-Z a-z 0-9 . _ / -, the value up to 256 characters'],
  ['cursor=%20', '"cursor" must be the nextCursor of the page before'],
];

for (const [query, detail] of queries) {
  it(`GET /tasks?${query}`, async () => {
    const answer = await http.send('GET', `/tasks?${query}`);
    assert.equal(answer.status, 400);
    assert.ok(answer.json.detail.includes(detail), answer.json.detail);
  });
}

it('a wait', async () => {
  const { json } = await http.send('GET', '/tasks/task-0000000001?wait=5sec');
  const words = 'must be seconds, or a number with ms, s or m, such as 10s (it was "5sec")';
  assert.equal(json.detail, `The query parameter "wait" ${words}.`);
});

const calls: [method: string, request: object, detail: string][] = [
  ['SubmitTask', { spec: { ...x, exclusive_key: '' } }, `spec.exclusive_key ${printable}.`],
  ['SubmitTask', { spec: { ...x, after: ['5'] } }, `spec.after[0] ${id}.`],
  ['ListTasks', { schedule: 'a b' }, `schedule ${name}.`],
  ['ListTasks', { labels: { 'a b': '' } }, 'labels["a b"] must be 1 to 64 of A-Z a-z 0-9 . _ / -.'],
  ['UpdateQueue', { name: '..' }, `${name}, and neither . nor ...`],
];

for (const [method, request, detail] of calls) {
  it(`${method} with ${JSON.stringify(request)}`, async () => {
    const { details } = await failure(call(grpc, method, request));
    assert.ok(details.includes(detail), details);
  });
}

it('every pattern that a request is checked by has words', () => {
  const { SubmitTask, SubmitTasks, UpdateQueue, PutSchedule, RunSchedule } = openApiDocument.components?.schemas ?? {};
  const asked = [SubmitTask, SubmitTasks, UpdateQueue, PutSchedule, RunSchedule, openApiDocument.paths];
  const text = JSON.stringify(asked, (key, value) => (key === 'responses' ? undefined : value));
  const patterns = new Set<string>();
  JSON.parse(text, (key, value) => {
    if (key === 'pattern') patterns.add(value);
    return value;
  });
  assert.deepEqual(
    [...patterns].filter((pattern) => !wordsOf(pattern)),
    [],
  );
  assert.equal(patterns.size, new Set(Object.values(textForms).map(({ pattern }) => pattern)).size);
});

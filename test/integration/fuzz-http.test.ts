// Goal: whatever is sent over HTTP, the gateway answers what its description says, never a 500, goes on, and leaves nothing
// in the tree but what the contract knows. Method: requests made up from the OpenAPI document (its paths, parameters and
// schemas) and then spoilt, sent to a real stack; each answer is checked against the document.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { limits } from '../../domain/limits.ts';
import { wellFormed } from '../../domain/well-formed.ts';
import { wholeFile } from '../support/cleanup.ts';
import { strangeZnodes } from '../support/contract-tree.ts';
import { assertDocumented } from '../support/openapi-check.ts';
import { type RawRequest, rawRequest } from '../support/raw-http.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const stack = await startStack(wholeFile, zookeeper, { sessionTimeoutMs: calmSessionMs });
const { url } = stack.client;
const document = (await stack.client.request('GET', '/openapi.json')).body as unknown as OpenApi;
const { id: someTask } = await stack.client.submit({ type: 'nobody-runs-this' });
const { id: endedTask } = await stack.client.run({ type: 'echo' });

interface OpenApi {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, Schema>; readonly parameters?: Record<string, Parameter> };
}
interface Operation {
  readonly parameters?: readonly (Parameter | { readonly $ref: string })[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: { readonly $ref?: string } & Schema }> };
}
interface Parameter {
  readonly name: string;
  readonly in: string;
}
interface Schema {
  readonly properties?: Record<string, unknown>;
}

const nasty = fc.oneof(
  fc.constantFrom(
    '',
    '.',
    '..',
    '../..',
    '%2e%2e%2f',
    '/',
    '\\',
    '\u0000',
    '%00',
    '__proto__',
    'constructor',
    'toString',
    'null',
  ),
  fc.constantFrom(
    '0',
    '-1',
    '1e400',
    '99999999999999999999',
    'NaN',
    'true',
    '[]',
    '{}',
    '"',
    "'; --",
    '\r\nX-Evil: 1',
    'ü',
    '🙂',
    '\ud800',
  ),
  fc.constantFrom(
    someTask,
    endedTask,
    `${someTask}/status`,
    `${someTask}%2fstatus`,
    'task-99999999999999999999',
    'x'.repeat(3000),
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
);

/** JSON text that is worse than what JSON.stringify makes: numbers beyond a double, doubled and reserved names. */
const nastyJson: fc.Arbitrary<string> = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)),
  nasty.map((text) => JSON.stringify(text)),
  fc.constantFrom(
    '1e400',
    '-1e400',
    '9007199254740993',
    '1.5',
    '-0',
    '-1',
    '0',
    '1',
    '100000',
    'true',
    'null',
    '{}',
    '[]',
    '""',
  ),
  fc.constantFrom('[0]', '[0,1]', '[0,0]', `["${someTask}"]`, '["task-2146999999"]', `["${endedTask}",0]`, '"wait"'),
  fc.constantFrom(
    '{"__proto__":{"type":"echo"}}',
    '{"constructor":{"prototype":{}}}',
    '{"toString":1}',
    '"\\ud800"',
    '{"\\udc00":1}',
    '"\\u0000"',
  ),
  fc.integer({ min: 20, max: 3000 }).map((depth) => '['.repeat(depth) + ']'.repeat(depth)),
  fc.integer({ min: 20, max: 3000 }).map((depth) => '{"a":'.repeat(depth) + 1 + '}'.repeat(depth)),
);

function objectOf(names: readonly string[]): fc.Arbitrary<string> {
  const members = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.constantFrom(...names), nasty), nastyJson, {
    maxKeys: 5,
  });
  return fc.tuple(members, fc.boolean()).map(([chosen, valid]) => {
    const entries = Object.entries({
      ...(valid && names.includes('type') && { type: '"nobody-runs-this"' }),
      ...chosen,
    });
    return `{${entries.map(([name, json]) => `${JSON.stringify(name)}:${json}`).join(',')}}`;
  });
}

/** The members that the schema of an operation's body names, with values that mostly do not fit. */
function bodyOf(operation: Operation): fc.Arbitrary<string | undefined> {
  const names = Object.keys(schemaOf(operation)?.properties ?? { type: 1 });
  const object = objectOf(names);
  const task = objectOf(Object.keys(document.components.schemas['SubmitTask']?.properties ?? {}));
  const batch = fc.array(task, { maxLength: 4 }).map((tasks) => `{"tasks":[${tasks.join(',')}]}`);
  return fc.oneof(object, object, names.includes('tasks') ? batch : object, nastyJson, nasty, fc.constant(undefined));
}

function schemaOf({ requestBody }: Operation): Schema | undefined {
  const schema = requestBody?.content['application/json']?.schema;
  return schema?.$ref ? document.components.schemas[schema.$ref.split('/').at(-1) ?? ''] : schema;
}

function parametersOf({ parameters = [] }: Operation, place: string): string[] {
  return parameters
    .map((parameter) =>
      '$ref' in parameter ? document.components.parameters?.[parameter.$ref.split('/').at(-1) ?? ''] : parameter,
    )
    .filter((parameter) => parameter?.in === place)
    .map((parameter) => parameter?.name ?? '');
}

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PATCH', 'OPTIONS'];

/** A request for the operation, with everything about it that a client chooses made up. */
function requestTo(path: string, method: string, operation: Operation): fc.Arbitrary<RawRequest> {
  const encoded = nasty.map((text) => encodeURIComponent(wellFormed(text)));
  const raw = nasty.map((text) => text.replaceAll(/[^!-~]/g, '')); // what may stand in a request line
  const segment = fc.oneof(fc.constant(someTask), fc.constant(endedTask), encoded, encoded, raw);
  const names = [...parametersOf(operation, 'query'), 'wait', 'limit', 'unknown'];
  const query = fc.array(
    fc.tuple(
      fc.oneof(fc.constantFrom(...names), encoded),
      fc.oneof(encoded, fc.constantFrom('1', '10ms', 'a:b', 'queued')),
    ),
    { maxLength: 3 },
  );
  const headerValue = fc.oneof(raw, fc.constantFrom('"a key"', '*', 'W/"x"', 'wait=0', 'gzip', '0-queued'));
  const headers = fc.dictionary(
    fc.constantFrom('idempotency-key', 'prefer', 'if-none-match', 'last-event-id', 'accept-encoding', 'accept'),
    headerValue,
    { maxKeys: 2 },
  );
  const contentType = fc.oneof(
    { arbitrary: fc.constant('application/json'), weight: 9 },
    { arbitrary: fc.constantFrom('text/plain', 'application/json; charset=latin1', ''), weight: 1 },
  );
  const chosenMethod = fc.oneof(
    { arbitrary: fc.constant(method.toUpperCase()), weight: 9 },
    { arbitrary: fc.constantFrom(...methods), weight: 1 },
  );
  return fc
    .tuple(chosenMethod, segment, query, headers, contentType, bodyOf(operation))
    .map(([name, id, pairs, chosen, type, body]) => ({
      method: name,
      path:
        path.replaceAll(/\{\w+\}/g, () => id) +
        (pairs.length > 0 ? `?${pairs.map(([key, value]) => `${key}=${value}`).join('&')}` : ''),
      headers: { ...chosen, ...(body !== undefined && type !== '' && { 'content-type': type }) },
      ...(body !== undefined && name !== 'GET' && name !== 'HEAD' && { body: wellFormed(body) }),
    }));
}

/** Streams go on; a little of them is enough. */
const streamMsMax = 30;

async function mustBeSound(request: RawRequest): Promise<void> {
  const answer = await rawRequest(url, request, request.path.includes('events') ? streamMsMax : 20_000);
  assert.ok(answer, 'the connection ended without an answer');
  assert.notEqual(answer.status, 500, answer.text);
  if (answer.status === 308 && request.path.startsWith('/docs/')) return; // to the page itself
  const headers = Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [name, value?.toString()]));
  const { status, text: body } = answer;
  assertDocumented({ method: request.method, path: request.path, status, headers, body });
}

/** Fails with the shortest request that is answered badly, and how. */
async function soundly(requests: fc.Arbitrary<RawRequest>, numRuns: number): Promise<void> {
  const { failed, counterexample, errorInstance, seed } = await fc.check(fc.asyncProperty(requests, mustBeSound), {
    numRuns,
  });
  if (failed) assert.fail(`seed ${seed}: ${JSON.stringify(counterexample)}: ${errorInstance}`);
}

for (const [path, item] of Object.entries(document.paths)) {
  for (const [method, operation] of Object.entries(item).filter(([name]) => methods.includes(name.toUpperCase()))) {
    const shared = (item as unknown as Operation).parameters ?? [];
    const whole = { ...operation, parameters: [...shared, ...(operation.parameters ?? [])] };
    test(`${method.toUpperCase()} ${path}`, { timeout: 120_000 }, async () => {
      await soundly(requestTo(path, method, whole), 60);
    });
  }
}

test('any address at all', async () => {
  const path = fc
    .array(fc.oneof(nasty, fc.constantFrom('tasks', 'queues', 'events', 'docs', 'batch', '..')), { maxLength: 4 })
    .map((steps) => `/${steps.join('/').replaceAll(/[^!-~]/g, '')}`);
  const request = fc.record({ method: fc.constantFrom(...methods), path });
  await soundly(request, 200);
});

test('bodies that are no text, cut short, or too large', async () => {
  const headers = { 'content-type': 'application/json' };
  const bytes = fc.uint8Array({ maxLength: 100 }).map((body) => Buffer.from(body));
  await fc.assert(
    fc.asyncProperty(bytes, (body) => mustBeSound({ method: 'POST', path: '/tasks', headers, body })),
    { numRuns: 60 },
  );
  const large = await rawRequest(url, {
    method: 'POST',
    path: '/tasks',
    headers,
    body: `"${'x'.repeat(limits.requestBodyBytesMax)}"`,
  });
  assert.equal(large?.status, 413);
});

test('after all that the gateway works, and the tree is as the contract has it', async () => {
  assert.equal((await stack.client.run({ type: 'echo', payload: 1 })).result, 1);
  assert.deepEqual(await strangeZnodes(await stack.session), []);
  assert.equal(stack.gateway.process.logs.filter(({ level }) => Number(level) >= 50).length, 0, 'no error in the log');
});

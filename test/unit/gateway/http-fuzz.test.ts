// Goal: whatever is sent is answered as the document says: what does not fit its schemas is refused, what fits is not, and nothing is
// ever a 500. Method: requests made up from the served document (fast-check), a second opinion from its schemas, and the
// document's answers as the judge of what comes back (http-client.ts).

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import type { TaskId } from '../../../domain/task.ts';
import { wellFormed } from '../../../domain/well-formed.ts';
import { parseRfc3339 } from '../../../gateway/api/rfc3339.ts';
import { openApiDocument } from '../../../gateway/http/openapi.ts';
import { type HttpClient, httpClient } from '../../support/http-client.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';

// biome-ignore lint/suspicious/noExplicitAny: read as any reader of the document would
const document: any = JSON.parse(JSON.stringify(openApiDocument));
const ajv = new Ajv2020({ strict: false });
ajv.addFormat('date-time', (text) => parseRfc3339(text) !== null);

let gateway: TestGateway;
let http: HttpClient;
let final = '';

before(async () => {
  gateway = await startTestGateway();
  http = httpClient(gateway.url);
  final = await http.submit();
  gateway.store.finish(final as TaskId, 'failed', null);
  gateway.scheduleStore.put('mail', '{"v":1,"everyMs":1000,"task":{"type":"echo"}}');
});

after(() => gateway.drain());

/** Values at and over every edge that somebody might have forgotten. */
const wild = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, -0, -1, 1, 0.5, 1e21, -1e308, 2 ** 53, '', ' ', '1', 'null', [], {}, [
    [],
  ]),
  fc.constantFrom(
    'a'.repeat(64),
    'a'.repeat(65),
    'a/b',
    '..',
    '\0',
    'caf\u00e9',
    '\u{1f600}'.repeat(256),
    '2026-01-31T09:30:00Z',
  ),
  fc.integer(),
  fc.string({ maxLength: 80 }),
  fc.jsonValue({ maxDepth: 3 }),
);

/** Mostly fields that are known, with any value; `__proto__` as JSON.parse would make it. */
function almost(schema: { properties: Record<string, object> }): fc.Arbitrary<string> {
  const name = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...Object.keys(schema.properties)) },
    { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'toString', '', 'Type', 'type ') },
  );
  const field = fc.tuple(name, fc.oneof(wild, goodValue));
  return fc.uniqueArray(field, { maxLength: 4, selector: ([key]) => key }).map((fields) => {
    const members = fields.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    const task = '"task":{"type":"echo"}';
    const good = { type: '"type":"echo"', tasks: '"tasks":[{"type":"echo"}]', task };
    const required = Object.entries(good).filter(([key]) => key in schema.properties);
    return `{${[...required.map(([, member]) => member), ...members].join(',')}}`;
  });
}

const goodValue = fc.constantFrom<unknown>(
  ...['echo', 5, 100, true, null, 'wait', { a: 'b' }, { delayMs: 5 }, [{ type: 'echo' }]],
  ...[['task-0000000000'], ['task-1', 'task-1'], [0], [{ type: 'echo' }, { type: 'echo', after: [0] }]],
);

const json = { 'content-type': 'application/json' };

describe('a body', () => {
  const targets: [string, string, string][] = [
    ['SubmitTask', 'POST', '/tasks'],
    ['SubmitTasks', 'POST', '/tasks/batch'],
    ['CancelTask', 'POST', '/tasks/:final/cancel'],
    ['RetryTask', 'POST', '/tasks/:final/retry'],
    ['UpdateQueue', 'PUT', '/queues/mail'],
    ['RunSchedule', 'POST', '/schedules/mail/run'],
  ];
  for (const [name, method, path] of targets) {
    it(`of ${name} is refused exactly where the schema of the document refuses it`, async () => {
      const schema = document.components.schemas[name];
      const fits = ajv.compile(schema);
      const seen = { taken: 0, refused: 0 };
      await fc.assert(
        fc.asyncProperty(almost(schema), async (text) => {
          const isFit = fits(JSON.parse(text));
          const { status, body } = await http.send(method, path.replace(':final', final), text, json);
          seen[isFit ? 'taken' : 'refused'] += 1;
          if (isFit) assert.ok([200, 201, 409, 422].includes(status), `${status} ${text} ${body}`);
          else assert.equal(status, 400, `${text} ${body}`);
        }),
        { numRuns: 300 },
      );
      assert.ok(seen.taken > 10 && seen.refused > 10, JSON.stringify(seen));
    });
  }

  it('of PutSchedule is refused where the schema of the document refuses it, and is else only refused for its times', async () => {
    const schema = document.components.schemas.PutSchedule;
    const fits = ajv.compile(schema);
    const seen = { taken: 0, refused: 0 };
    const every = fc.constantFrom('', '"everyMs":1000,', '"cron":"* * * * *",', '"cron":"0 0 30 2 *",');
    await fc.assert(
      fc.asyncProperty(almost(schema), every, async (text, timing) => {
        const whole = text.replace('{', `{${timing}`);
        const { status, body, json: told } = await http.send('PUT', '/schedules/mail', whole, json);
        seen[status < 400 ? 'taken' : 'refused'] += 1;
        assert.ok(status === 200 || status === 400, `${status} ${whole} ${body}`);
        if (!fits(JSON.parse(whole))) assert.equal(status, 400, whole);
        else if (status === 400) assert.match(told.errors[0].pointer, /^\/(cron|timeZone|everyMs)$/, whole);
      }),
      { numRuns: 300 },
    );
    assert.ok(seen.taken > 10 && seen.refused > 10, JSON.stringify(seen));
  });

  it('that is anything at all is no 500', async () => {
    const text = fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc.json().map((whole) => whole.slice(1)),
    );
    const type = fc.constantFrom('application/json', 'application/json;charset=utf-16', 'text/plain', '', ';');
    await fc.assert(
      fc.asyncProperty(text, type, fc.constantFrom(...targets), async (body, contentType, [, method, path]) => {
        const answer = await http.send(method, path.replace(':final', final), body, { 'content-type': contentType });
        assert.ok(answer.status < 500, answer.body);
      }),
      { numRuns: 200 },
    );
  });

  const deep: [string, string][] = [
    ['arrays', `${'['.repeat(100_000)}${']'.repeat(100_000)}`],
    ['objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
  ];
  for (const [what, nested] of deep) {
    it(`of ${what} inside each other without end is refused`, async () => {
      for (const [, method, path] of targets) {
        const at = path.replace(':final', final);
        for (const body of [
          nested,
          `{"type":"echo","payload":${nested}}`,
          `{"tasks":[{"type":"x","payload":${nested}}]}`,
        ]) {
          assert.equal((await http.send(method, at, body, json)).status, 400);
        }
      }
    });
  }

  it('cannot reach the prototype of anything', async () => {
    const payload = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
    const answer = await http.send('POST', '/tasks', `{"type":"echo","payload":${payload}}`, json);
    assert.equal(answer.status, 201);
    assert.equal(JSON.stringify(answer.json.payload), payload);
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
    const labelled = await http.send('POST', '/tasks', '{"type":"echo","labels":{"__proto__":"x"}}', json);
    assert.equal(JSON.stringify(labelled.json.labels), '{"__proto__":"x"}');
    assert.equal((await http.get('/tasks?label=__proto__:x')).json.tasks.length, 1);
    assert.equal((await http.get('/tasks?label=constructor:x')).json.tasks.length, 0);
  });

  it('of the fuzzers above leaves only names of the contract', () => {
    for (const name of gateway.store.queues.keys()) assert.match(name, /^[A-Za-z0-9._-]{1,64}$/);
    for (const { type, queue } of gateway.store.submitted) assert.match(`${type}${queue}`, /^[A-Za-z0-9._-]{2,128}$/);
  });
});

describe('parameters', () => {
  const text = fc.oneof(
    fc.constantFrom(
      '',
      '0',
      '1',
      '10s',
      '1.5s',
      '60m',
      '1e3',
      '-1',
      '+1',
      ' 1',
      '0x1',
      'queued',
      'failed',
      'a:b',
      ':',
      'a:',
    ),
    fc.constantFrom('default', '%', '\0', '..', '../x', 'a'.repeat(65), '9'.repeat(400), '\u{1f600}', '__proto__'),
    fc.string({ maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 5 }),
  );

  it('of a query are refused exactly where their schemas refuse them', async () => {
    const seen = { taken: 0, refused: 0 };
    for (const [path, parameter] of queryParameters()) {
      const fits = ajv.compile(parameter.schema);
      await fc.assert(
        fc.asyncProperty(text, async (value) => {
          const target = path.replace('{id}', final);
          const at = `${target}?${parameter.name}=${encodeURIComponent(wellFormed(value))}`;
          const { status, body } = await http.get(at);
          const isFit = fits(coerced(parameter.schema.type, wellFormed(value)));
          seen[isFit ? 'taken' : 'refused'] += 1;
          // That a cursor is none that we made, its schema cannot tell.
          if (!isFit || parameter.name === 'cursor') assert.ok(status === 400 || isFit, `${at}: ${status} ${body}`);
          else assert.ok(status < 300, `${at}: ${status} ${body}`);
        }),
        { numRuns: 60 },
      );
    }
    assert.ok(seen.taken > 50 && seen.refused > 50, JSON.stringify(seen));
  });

  it('of a header are never a 500', async () => {
    const header = fc.constantFrom('Prefer', 'Idempotency-Key', 'If-None-Match', 'Accept-Encoding', 'Accept', 'Range');
    const value = fc.string({ maxLength: 30 }).map((any) => any.replace(/[^\t\x20-\x7e]/g, '"'));
    await fc.assert(
      fc.asyncProperty(header, value, async (name, content) => {
        const plain = content.includes('wait') ? '' : content;
        assert.ok((await http.get(`/tasks/${final}`, { [name]: plain })).status < 500);
        const submit = await http.send('POST', '/tasks', { type: 'echo' }, { [name]: plain });
        assert.ok(submit.status < 500, submit.body);
      }),
      { numRuns: 100 },
    );
  });

  it('of a path are never a 500, and lead to no task that is none', async () => {
    const steps = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.constantFrom('..', '.', 'task-', '/', '\0', '%2e'),
    );
    const tails = fc.constantFrom('', '/cancel', '/retry', '/events', '/status', '/../../master');
    await fc.assert(
      fc.asyncProperty(steps, tails, fc.constantFrom('GET', 'POST', 'DELETE', 'PUT'), async (id, tail, method) => {
        const answer = await http.send(method, `/tasks/${encodeURIComponent(wellFormed(id))}${tail}`);
        assert.ok([404, 405].includes(answer.status) || (id === '' && answer.status < 500), answer.body);
      }),
      { numRuns: 200 },
    );
  });
});

interface QueryParameter {
  readonly name: string;
  readonly schema: { readonly type: string };
}

function* queryParameters(): Iterable<[string, QueryParameter]> {
  for (const [path, item] of Object.entries<Record<string, { parameters?: (QueryParameter & { in: string })[] }>>(
    document.paths,
  )) {
    for (const { parameters = [] } of Object.values(item)) {
      for (const parameter of parameters) {
        // Waits are for their own tests; these would hold up every run.
        if (parameter.in === 'query' && !(parameter.name === 'wait' && path === '/tasks')) yield [path, parameter];
      }
    }
  }
}

function coerced(type: string, text: string): unknown {
  if (type === 'array') return [text];
  return type === 'integer' && /^-?\d+$/.test(text) ? Number(text) : text;
}

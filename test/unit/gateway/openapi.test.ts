// Goal: the OpenAPI document tells the truth and nothing but: it has the addresses that are served, it lints clean, and its examples
// are real. Method: the routes of the app itself against the document; a well-known linter; each example sent to a gateway.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import type { IRouter } from 'express';
import type { TaskId } from '../../../domain/task.ts';
import { submitTaskSchema } from '../../../gateway/api/submit-schema.ts';
import { createHttpApp } from '../../../gateway/http/http-server.ts';
import type { HttpAppOptions } from '../../../gateway/http/http-services.ts';
import { openApiDocument } from '../../../gateway/http/openapi.ts';
import { operations } from '../../../gateway/http/operations.ts';
import { type HttpClient, httpClient } from '../../support/http-client.ts';
import { assertDocumented } from '../../support/openapi-check.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';

const methods = ['get', 'post', 'put', 'delete', 'patch', 'head', 'options', 'trace'];

describe('the OpenAPI document', () => {
  it('has exactly the routes that are served', () => {
    const { stack } = (
      createHttpApp({ names: { host: '127.0.0.1', advertisedHost: '' } } as HttpAppOptions) as unknown as {
        router: IRouter;
      }
    ).router;
    const served = stack.flatMap(({ route }) => {
      const own = route?.stack.filter(({ method }) => method !== undefined) ?? [];
      const path = route?.path.replaceAll(/:(\w+)/g, '{$1}');
      return [...new Set(own.map(({ method }) => `${method} ${path}`))];
    });
    const documented = Object.entries(openApiDocument.paths ?? {}).flatMap(([path, item]) =>
      methods.filter((method) => item && method in item).map((method) => `${method} ${path}`),
    );
    // The page's address with a slash only leads to the one without.
    assert.deepEqual(served.filter((route) => route !== 'get /docs/').sort(), documented.sort());
    assert.equal(documented.length, operations.length);
  });

  it('lints clean', async () => {
    const problems = await lintFromString({
      source: JSON.stringify(openApiDocument),
      absoluteRef: '/openapi.json',
      config: await createConfig({ extends: ['recommended'] }),
    });
    const told = problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`);
    assert.deepEqual(told, []);
  });

  it('would not lint clean with a fault', async () => {
    const { paths, ...rest } = JSON.parse(JSON.stringify(openApiDocument));
    delete paths['/tasks'].post.responses['201'].content['application/json'].example.id;
    const config = await createConfig({ extends: ['recommended'] });
    const source = JSON.stringify({ ...rest, paths });
    const [problem] = await lintFromString({ source, absoluteRef: '/openapi.json', config });
    assert.equal(problem?.ruleId, 'no-invalid-media-type-examples');
  });

  it('has the version of the package', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8'));
    assert.equal(openApiDocument.info.version, version);
  });

  it('has the schema that submits are checked with', () => {
    assert.equal(openApiDocument.components?.schemas?.['SubmitTask'], submitTaskSchema);
  });
});

describe('the examples of the document', () => {
  let gateway: TestGateway;
  let http: HttpClient;
  before(async () => {
    gateway = await startTestGateway();
    http = httpClient(gateway.url);
    // What the examples are about: 42 tasks, of which two have failed, and two schedules.
    for (let i = 0; i <= 42; i += 1) await http.submit({ type: 'echo', labels: { team: 'red' } });
    for (const name of ['nightly-report', 'last-year']) {
      gateway.scheduleStore.put(name, '{"v":1,"everyMs":1000,"task":{"type":"echo"}}');
    }
    for (const id of ['task-0000000040', 'task-0000000041']) gateway.store.finish(id as TaskId, 'failed', null);
  });
  after(() => gateway.drain());

  for (const { operationId, method, answers, example } of operations) {
    it(`${operationId}: ${example.path}`, { timeout: 20_000 }, async () => {
      assert.ok(answers[example.status], 'the example has an answer of the document');
      const path = example.path.replace(/wait=\d+s/, 'wait=10ms');
      const isStream = operationId === 'watchTask' || operationId === 'watchEvents';
      const send = isStream ? http.firstOf : http.send;
      const answer = await send(method.toUpperCase(), path, example.body, example.headers);
      assert.equal(answer.status, example.status, answer.body);
      if (example.answer !== undefined) assertDocumented({ ...answer, body: textOf(example.answer) });
    });
  }
});

function textOf(answer: unknown): string {
  return typeof answer === 'string' ? answer : JSON.stringify(answer);
}

// Goal: the OpenAPI document tells the truth. Method: its references resolve, its components compile, and real answers
// fit them; the body of a submit is checked with the very object that the document has.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Ajv2020 } from 'ajv/dist/2020.js';
import supertest from 'supertest';
import type { TaskId } from '../../../domain/task.ts';
import { submitTaskSchema } from '../../../gateway/api/submit-schema.ts';
import { openApiDocument } from '../../../gateway/http/openapi.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true, validateFormats: false });

function assertFits(component: string, value: unknown): void {
  const schema = openApiDocument.components?.schemas?.[component];
  assert.ok(schema, component);
  assert.ok(ajv.validate(schema, value), `${ajv.errorsText()} in ${JSON.stringify(value)}`);
}

describe('the OpenAPI document', () => {
  let gateway: TestGateway;
  let http: ReturnType<typeof supertest>;
  before(async () => {
    gateway = await startTestGateway();
    http = supertest(gateway.url);
  });
  after(() => gateway.drain());

  it('is served as it is', async () => {
    const { body } = await http
      .get('/openapi.json')
      .expect(200)
      .expect('Content-Type', /^application\/json/);
    assert.deepEqual(body, JSON.parse(JSON.stringify(openApiDocument)));
    assert.equal(body.openapi, '3.1.0');
  });

  it('refers to what is there', () => {
    const references = [...JSON.stringify(openApiDocument).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)];
    assert.ok(references.length > 5);
    for (const [, name = ''] of references) assert.ok(openApiDocument.components?.schemas?.[name], name);
  });

  it('has the schema that submits are checked with', () => {
    assert.equal(openApiDocument.components?.schemas?.['SubmitTask'], submitTaskSchema);
  });

  it('has every address that is answered', async () => {
    for (const [path, item] of Object.entries(openApiDocument.paths ?? {})) {
      const method = item?.post ? 'post' : 'get';
      const { status } = await http[method](path.replace('{id}', 'task-0000000000'));
      assert.notEqual(status, 405, path);
    }
  });

  it('describes tasks in every state, and problems', async () => {
    const { body: queued } = await http.post('/tasks').send({ type: 'echo', labels: { a: 'b' } });
    assertFits('Task', queued);
    for (const state of ['succeeded', 'failed', 'cancelled'] as const) {
      const { body: task } = await http.post('/tasks').send({ type: 'echo', payload: [1, { a: null }] });
      gateway.store.finish(task.id as TaskId, state, { x: 1 });
      assertFits('Task', (await http.get(`/tasks/${task.id}`)).body);
    }
    gateway.store.put({
      id: 'task-0000000077' as TaskId,
      record: null,
      createdAt: 1,
      status: null,
      attempts: [],
      assignment: null,
    });
    assertFits('Task', (await http.get('/tasks/task-0000000077')).body);
    assertFits('Problem', (await http.post('/tasks').send({ nonsense: 1 })).body);
    assertFits('Problem', (await http.get('/nowhere')).body);
  });
});

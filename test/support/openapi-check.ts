// Whether an answer of the HTTP face is one that the OpenAPI document tells of: its status, its headers, its media type and its
// body. Knows nothing of the table that the document is made of.

import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { parseRfc3339 } from '../../gateway/api/rfc3339.ts';
import { openApiDocument } from '../../gateway/http/openapi.ts';

export interface SeenAnswer {
  readonly method: string;
  /** With or without a query. */
  readonly path: string;
  readonly status: number;
  /** By name in small letters. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** As it arrived, decompressed. */
  readonly body: string;
}

interface DocumentedAnswer {
  readonly headers?: Record<string, { readonly required?: boolean; readonly schema: object }>;
  readonly content?: Record<string, { readonly schema: object }>;
}

type Operations = Record<string, { readonly responses: Record<string, DocumentedAnswer> } | undefined>;

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, allErrors: true });
ajv.addFormat('date-time', (text) => parseRfc3339(text) !== null);
ajv.addFormat('uri', (text) => URL.canParse(text));
ajv.addFormat('uri-reference', (text) => URL.canParse(text, 'http://host/'));
const document = JSON.parse(JSON.stringify(openApiDocument).replaceAll('#/components/schemas/', '#/$defs/'));
const definitions = document.components.schemas;
const compiled = new Map<object, ValidateFunction>();

/** Null: no address of the document. A text in a path beats a parameter. */
export function documentedPath(path: string): string | null {
  const steps = (path.split('?')[0] ?? '').split('/');
  const fitting = Object.keys(document.paths).filter((template) => {
    const places = template.split('/');
    return (
      places.length === steps.length &&
      places.every((place, at) => (place.startsWith('{') ? steps[at] !== '' : place === steps[at]))
    );
  });
  return fitting.sort((a, b) => a.split('{').length - b.split('{').length)[0] ?? null;
}

/** Fails unless the document has the answer. What is at no address of it has to be a problem document. */
export function assertDocumented(answer: SeenAnswer): void {
  const template = documentedPath(answer.path);
  const operations: Operations = template === null ? {} : document.paths[template];
  const method = answer.method.toLowerCase();
  const operation = operations[method === 'head' ? 'get' : method];
  const what = `${answer.method} ${answer.path}: ${answer.status}`;
  const expected =
    operation?.responses[answer.status] ?? (operation ? null : problemWithoutOperation(answer, template));
  assert.ok(expected, `${what} is not in the document: ${answer.body}`);
  assertHeaders(what, expected, answer);
  assertBody(what, expected, answer);
}

function problemWithoutOperation({ status }: SeenAnswer, template: string | null): DocumentedAnswer | null {
  if (status !== (template === null ? 404 : 405)) return null;
  const allow = { Allow: { required: true, schema: { type: 'string' } } };
  const content = { 'application/problem+json': { schema: { $ref: '#/$defs/Problem' } } };
  return template === null ? { content } : { content, headers: allow };
}

function assertHeaders(what: string, { headers = {} }: DocumentedAnswer, answer: SeenAnswer): void {
  assert.equal(answer.headers['x-content-type-options'], 'nosniff', what);
  for (const [name, { required, schema }] of Object.entries(headers)) {
    const text = answer.headers[name.toLowerCase()];
    if (text === undefined) assert.ok(!required, `${what} has no ${name}`);
    else assertFits(`${what}, ${name}`, schema, 'type' in schema && schema.type === 'integer' ? Number(text) : text);
  }
}

function assertBody(what: string, { content }: DocumentedAnswer, { method, headers, body }: SeenAnswer): void {
  if (!content) {
    assert.equal(body, '', `${what} has no body in the document`);
    return;
  }
  const type = (headers['content-type'] ?? '').split(';')[0] ?? '';
  const media = content[type];
  assert.ok(media, `${what}: ${type} is not in the document`);
  if (method.toUpperCase() === 'HEAD') assert.equal(body, '', what);
  else if (type === 'text/event-stream') assertEvents(what, media.schema, body);
  else assertFits(what, media.schema, /^application\/(.*\+)?json$/.test(type) ? JSON.parse(body) : body);
}

/** `contentSchema` of a stream is what the data of each of its task events is. */
function assertEvents(what: string, schema: object, body: string): void {
  assert.ok('contentSchema' in schema);
  for (const event of body.split('\n\n')) {
    const lines = event.split('\n');
    const data = lines.includes('event: task') && lines.find((line) => line.startsWith('data: '))?.slice(6);
    if (data) assertFits(what, schema.contentSchema as object, JSON.parse(data));
  }
}

function assertFits(what: string, schema: object, value: unknown): void {
  const fits = compiled.get(schema) ?? ajv.compile({ ...schema, $defs: definitions });
  compiled.set(schema, fits);
  assert.ok(fits(value), `${what}: ${ajv.errorsText(fits.errors)} in ${JSON.stringify(value)?.slice(0, 1000)}`);
}

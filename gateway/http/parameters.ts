// Parameters of requests: what the document says of each, and how it is read. Strictly: a query parameter that is not known,
// or given twice, is refused, so that a typing mistake is seen and `?wiat=10s` is not answered at once. What arrives in a
// path or a query is checked with the schema that the document shows; headers have grammars of their own.

import type { Request } from 'express';
import type { OpenAPIV3_1 } from 'openapi-types';
import { ServiceError } from '../../domain/errors.ts';
import { valueCheck } from '../api/body-check.ts';

/** What the document tells of a parameter. */
export interface ParameterDescription {
  readonly name: string;
  readonly description: string;
  readonly schema: OpenAPIV3_1.SchemaObject;
  readonly example?: unknown;
}

export interface Parameter<Value> extends ParameterDescription {
  readonly in: 'path' | 'query' | 'header';
  /** What the request says; none: it was not given. Throws 'invalid-request', and for an id that is none what that means. */
  readonly read: (texts: readonly string[]) => Value;
}

export function pathParameter<Value>(
  description: ParameterDescription,
  read: (text: string) => Value,
): Parameter<Value> {
  return { ...description, in: 'path', read: ([text = '']) => read(text) };
}

/** Null where it is not given. */
export function queryText<Value = string>(
  description: ParameterDescription,
  read: (text: string) => Value = (text) => text as Value,
): Parameter<Value | null> {
  const check = checked(description);
  return { ...description, in: 'query', read: ([text]) => (text === undefined ? null : read(check(text, text))) };
}

/** Null where it is not given; what no double can hold exactly counts as the largest that one can. */
export function queryInteger(description: ParameterDescription): Parameter<number | null> {
  const check = checked(description);
  const numberOf = (text: string) => (/^-?\d+$/.test(text) ? Math.min(Number(text), Number.MAX_SAFE_INTEGER) : text);
  const read = (text: string) => check(numberOf(text), text) as number;
  return { ...description, in: 'query', read: ([text]) => (text === undefined ? null : read(text)) };
}

/** May be given any number of times, as far as its schema allows. */
export function queryTexts(description: ParameterDescription): Parameter<readonly string[]> {
  const check = checked(description);
  return { ...description, in: 'query', read: (texts) => check(texts, texts.join(', ')) };
}

/** `read` gets a line for each time that it was sent. */
export function header<Value>(
  description: ParameterDescription,
  read: (lines: readonly string[]) => Value,
): Parameter<Value> {
  return { ...description, in: 'header', read };
}

function checked({ name, schema }: ParameterDescription): <Value>(value: Value, text: string) => Value {
  const faultOf = valueCheck(schema);
  return (value, text) => {
    const fault = faultOf(value);
    if (fault === null) return value;
    throw refused(name, `${fault} (it was ${JSON.stringify(text.slice(0, 100))})`);
  };
}

/** Reads the values of all of them, by the same names. */
export function parameterReader(
  parameters: Readonly<Record<string, Parameter<unknown>>>,
): (request: Request) => Record<string, unknown> {
  const entries = Object.entries(parameters);
  const known = Object.values(parameters).filter((parameter) => parameter.in === 'query');
  return (request) => {
    const query = queryOf(request, known);
    const values: Record<string, unknown> = {};
    for (const [key, parameter] of entries) values[key] = parameter.read(textsOf(parameter, request, query));
    return values;
  };
}

const none: readonly string[] = [];

function textsOf(
  { name, in: place }: Parameter<unknown>,
  request: Request,
  query: URLSearchParams | null,
): readonly string[] {
  if (place === 'query') return query?.getAll(name) ?? none;
  if (place === 'header') return linesOf(name.toLowerCase(), request);
  const text = request.params[name];
  return typeof text === 'string' ? [text] : none;
}

/** Asked for one header, Node collects the lines of all. */
function linesOf(name: string, request: Request): readonly string[] {
  return request.headers[name] === undefined ? none : (request.headersDistinct[name] ?? none);
}

/** Null: there is none. */
function queryOf(request: Request, known: readonly Parameter<unknown>[]): URLSearchParams | null {
  const queryAt = request.url.indexOf('?');
  if (queryAt < 0) return null;
  const query = new URLSearchParams(request.url.slice(queryAt + 1));
  for (const name of new Set(query.keys())) {
    const parameter = known.find((other) => other.name === name);
    if (!parameter) throw refused(name, `is not known here${hint(known)}`);
    if (parameter.schema.type !== 'array' && query.getAll(name).length > 1) {
      throw refused(name, 'is given more than once');
    }
  }
  return query;
}

function hint(known: readonly Parameter<unknown>[]): string {
  return known.length > 0 ? `; there is ${known.map(({ name }) => name).join(', ')}` : '';
}

function refused(name: string, detail: string): ServiceError {
  return new ServiceError('invalid-request', `The query parameter ${JSON.stringify(name.slice(0, 100))} ${detail}.`);
}

// Words for JSON Schemas of answers.

import type { OpenAPIV3_1 } from 'openapi-types';

export type Schema = OpenAPIV3_1.SchemaObject;
type SchemaOrReference = Schema | OpenAPIV3_1.ReferenceObject;

export const text: Schema = { type: 'string' };
export const textOrNull: Schema = { type: ['string', 'null'] };
export const count: Schema = { type: 'integer', minimum: 0 };
export const time: Schema = { type: 'string', format: 'date-time' };
export const timeOrNull: Schema = { type: ['string', 'null'], format: 'date-time' };

/** An object that always has exactly these fields. */
export function exactly(description: string, properties: Record<string, SchemaOrReference>): Schema {
  return { type: 'object', description, additionalProperties: false, required: Object.keys(properties), properties };
}

/** Either one, or null. */
export function orNull(schema: Schema): Schema {
  return { oneOf: [schema, { type: 'null' }] };
}

export function listOf(items: SchemaOrReference): Schema {
  return { type: 'array', items };
}

// Checks of what clients send against JSON Schema: the schema objects are those of the OpenAPI document, compiled here. What
// does not fit is an 'invalid-request' that names every place.

import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import type { OpenAPIV3_1 } from 'openapi-types';
import type { FieldFault } from '../../domain/errors.ts';
import { invalidRequest, pointerStep } from './invalid-request.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { findUnstorable } from './storable-json.ts';

const options = { allErrors: true, strict: true, allowUnionTypes: true };
const bodies = new Ajv2020({ ...options, useDefaults: true });
bodies.addFormat('date-time', (text) => parseRfc3339(text) !== null);
const values = new Ajv2020(options);

/**
 * Parsed JSON in, the same with its defaults filled in out; or it throws 'invalid-request'. `depthMax` counts arrays and
 * objects inside each other.
 */
export function bodyCheck<Body>(schema: OpenAPIV3_1.SchemaObject, depthMax: number): (body: unknown) => Body {
  const fits = bodies.compile<Body>(schema);
  return (body) => {
    const unstorable = findUnstorable(body, depthMax);
    if (unstorable) throw invalidRequest([unstorable]);
    if (fits(body)) return body;
    throw invalidRequest(faultsOf(fits.errors ?? []));
  };
}

/** What is wrong with one value, in a word; null where it fits. */
export function valueCheck(schema: OpenAPIV3_1.SchemaObject): (value: unknown) => string | null {
  const fits = values.compile(schema);
  return (value) => (fits(value) ? null : (faultsOf(fits.errors ?? [])[0]?.detail ?? 'does not fit'));
}

function faultsOf(errors: readonly ErrorObject[]): FieldFault[] {
  // A bad label key is told twice: as the key that does not match, and as propertyNames having failed.
  return errors.filter(({ keyword }) => keyword !== 'propertyNames').map(faultOf);
}

function faultOf({ keyword, instancePath, params, message, propertyName }: ErrorObject): FieldFault {
  const pointer = propertyName === undefined ? instancePath : instancePath + pointerStep(propertyName);
  switch (keyword) {
    case 'additionalProperties':
      return { pointer: pointer + pointerStep(params['additionalProperty']), detail: 'is no field that is known here' };
    case 'required':
      return { pointer: pointer + pointerStep(params['missingProperty']), detail: 'is required' };
    case 'enum':
      return { pointer, detail: `must be one of ${params['allowedValues'].join(', ')}` };
    case 'format':
      return { pointer, detail: 'must be a time as RFC 3339 has it, such as 2026-01-31T09:30:00Z' };
    case 'not':
      return { pointer: `${pointer}/runAt`, detail: 'cannot be given together with a delay' };
    default:
      return { pointer, detail: message ?? `does not fit (${keyword})` };
  }
}

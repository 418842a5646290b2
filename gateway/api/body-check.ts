// Checks of what clients send against JSON Schema: the schema objects are those of the OpenAPI document, compiled here. What
// does not fit is an 'invalid-request' that names every place.

import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import type { OpenAPIV3_1 } from 'openapi-types';
import type { FieldFault } from '../../domain/errors.ts';
import { invariant } from '../../domain/invariant.ts';
import { serverLimits } from '../server-limits.ts';
import { invalidRequest, pointerStep } from './invalid-request.ts';
import { parseRfc3339 } from './rfc3339.ts';
import { findUnstorable } from './storable-json.ts';
import { wordsOf } from './text-forms.ts';

const options = { allErrors: true, strict: true, allowUnionTypes: true };
const bodies = new Ajv2020({ ...options, useDefaults: true });
bodies.addFormat('date-time', (text) => parseRfc3339(text) !== null);
const values = new Ajv2020(options);

/** No object that fits has so many; one that has more is told only that. */
const membersMax = 200;

/**
 * Parsed JSON in, the same with its defaults filled in out; or it throws 'invalid-request'. `depthMax` counts arrays and
 * objects inside each other.
 */
export function bodyCheck<Body>(schema: OpenAPIV3_1.SchemaObject, depthMax: number): (body: unknown) => Body {
  const faultsOf = faultsBy(schema);
  return (body) => {
    refuse(faultsOf(body));
    return storable<Body>(body, depthMax);
  };
}

/** As {@link bodyCheck}, for a body whose member `list` is an array of many: looked at one by one until enough is wrong. */
export function listBodyCheck<Body>(
  schema: OpenAPIV3_1.SchemaObject,
  list: string,
  depthMax: number,
): (body: unknown) => Body {
  const { items, ...array } = arrayOf(schema, list);
  const around = faultsBy({ ...schema, properties: { ...schema.properties, [list]: array } } as typeof schema);
  const itemFaults = faultsBy(items);
  return (body) => {
    refuse(around(body));
    refuse(faultsInList((body as Readonly<Record<string, readonly unknown[]>>)[list] ?? [], `/${list}`, itemFaults));
    return storable<Body>(body, depthMax);
  };
}

/** What is wrong with one value, in a word; null where it fits. */
export function valueCheck(schema: OpenAPIV3_1.SchemaObject): (value: unknown) => string | null {
  const fits = values.compile(schema);
  return (value) => (fits(value) ? null : (faultsOf(fits.errors ?? [])[0]?.detail ?? 'does not fit'));
}

function arrayOf(schema: OpenAPIV3_1.SchemaObject, list: string) {
  const array = schema.properties?.[list];
  invariant(array && 'items' in array && 'type' in array.items, `${list} is a list of what has a schema`);
  return { ...array, items: array.items };
}

type FaultsOf = (value: unknown) => FieldFault[];

/**
 * A value may be wrong in a hundred thousand places, and to find them all would hold up everything else for seconds: so how
 * much there is of it is looked at first.
 */
function faultsBy(schema: OpenAPIV3_1.SchemaObject): FaultsOf {
  const fits = bodies.compile(schema);
  const crowdIn = crowdBy(schema);
  return (value) => {
    const crowd = crowdIn(value);
    if (crowd) return [crowd];
    return fits(value) ? [] : faultsOf(fits.errors ?? []);
  };
}

/** Among the objects and lists that the schema looks at: what it takes as it is (a payload) may have any number of members. */
function crowdBy(schema: OpenAPIV3_1.SchemaObject): (value: unknown) => FieldFault | null {
  const lookedInto = Object.entries(schema.properties ?? {}).flatMap(([name, inside]) =>
    'type' in inside && (inside.type === 'object' || inside.type === 'array') ? [[name, crowdBy(inside)] as const] : [],
  );
  return (value) => {
    if (typeof value !== 'object' || value === null) return null;
    if (Array.isArray(value)) return longListFault(value, schema);
    if (Object.keys(value).length > membersMax) {
      return { pointer: '', detail: `must NOT have more than ${schema.maxProperties ?? membersMax} properties` };
    }
    for (const [name, crowdIn] of lookedInto) {
      const crowd = crowdIn((value as Readonly<Record<string, unknown>>)[name]);
      if (crowd) return { ...crowd, pointer: pointerStep(name) + crowd.pointer };
    }
    return null;
  };
}

function longListFault(list: readonly unknown[], { maxItems }: { maxItems?: number }): FieldFault | null {
  if (maxItems === undefined || list.length <= maxItems) return null;
  return { pointer: '', detail: `must NOT have more than ${maxItems} items` };
}

function faultsInList(items: readonly unknown[], pointer: string, itemFaults: FaultsOf): FieldFault[] {
  const faults: FieldFault[] = [];
  for (const [place, item] of items.entries()) {
    for (const fault of itemFaults(item)) {
      faults.push({ ...fault, pointer: `${pointer}/${place}${fault.pointer}` });
    }
    if (faults.length >= serverLimits.faultsMax) break;
  }
  return faults;
}

function refuse(faults: readonly FieldFault[]): void {
  if (faults.length > 0) throw invalidRequest(faults);
}

function storable<Body>(body: unknown, depthMax: number): Body {
  const unstorable = findUnstorable(body, depthMax);
  if (unstorable) throw invalidRequest([unstorable]);
  return body as Body;
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
    case 'pattern':
      return { pointer, detail: `must be ${wordsOf(params['pattern']) ?? `a text that fits ${params['pattern']}`}` };
    case 'type':
      return { pointer, detail: `must be ${[params['type']].flat().join(' or ')}` };
    case 'uniqueItems':
      return { pointer: pointer + pointerStep(Math.max(params['i'], params['j'])), detail: 'is there before already' };
    case 'format':
      return { pointer, detail: 'must be a time as RFC 3339 has it, such as 2026-01-31T09:30:00Z' };
    case 'not':
      return { pointer: `${pointer}/runAt`, detail: 'cannot be given together with a delay' };
    default:
      return { pointer, detail: message ?? `does not fit (${keyword})` };
  }
}

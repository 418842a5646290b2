// One operation of the HTTP face: what the document says of it, and what checks and answers its requests, in one value.
// operations.ts is the table of them; openapi.ts makes the document of it and routing.ts the routes, so that the two
// cannot tell different stories.

import type { ServerResponse } from 'node:http';
import type { RequestHandler, Response } from 'express';
import type { OpenAPIV3, OpenAPIV3_1 } from 'openapi-types';
import type { ErrorReason } from '../../domain/errors.ts';
import type { HttpServices } from './http-services.ts';
import { readJsonBody } from './json-body.ts';
import { type Parameter, parameterReader } from './parameters.ts';
import type { ComponentName } from './schemas.ts';

export type Schema = OpenAPIV3_1.SchemaObject | OpenAPIV3_1.ReferenceObject;
export type HttpMethod = 'get' | 'post' | 'put' | 'delete';
export type Tag = 'tasks' | 'schedules' | 'events' | 'fleet' | 'service';

/** An answer that is no problem document. */
export interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, OpenAPIV3.HeaderObject>>;
  /** None: an answer without a body. Several only where they depend on the address. */
  readonly content?: Readonly<Record<string, Schema>>;
}

/** A request and its answer, as people see it in the document; a test sends each of them. */
export interface Example {
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly status: number;
  readonly answer?: unknown;
}

/** The JSON that a request brings; what is in it is checked by gateway/api, with this very schema. */
export interface Body {
  readonly component: ComponentName;
  readonly required: boolean;
}

/** What the document tells of an operation. */
export interface Described {
  readonly operationId: string;
  readonly method: HttpMethod;
  /** As OpenAPI writes it: `/tasks/{id}`. */
  readonly path: string;
  readonly tag: Tag;
  readonly summary: string;
  readonly description?: string;
  readonly body?: Body;
  /** By status. */
  readonly answers: Readonly<Record<number, Answer>>;
  /** How it can fail, beside what every operation can (openapi.ts). */
  readonly problems?: readonly ErrorReason[];
  readonly example: Example;
  /** True: the answer is compressed for who accepts that. */
  readonly compressed?: boolean;
}

export interface CheckedRequest<Values> {
  readonly parameters: Values;
  /** Parsed JSON; undefined where the request has none. */
  readonly body: unknown;
  readonly isHead: boolean;
  /** Aborts when the connection is gone before the answer. */
  readonly signal: AbortSignal;
}

type Parameters = Readonly<Record<string, Parameter<unknown>>>;
type ValuesOf<P extends Parameters> = {
  readonly [Name in keyof P]: P[Name] extends Parameter<infer Value> ? Value : never;
};

interface Definition<P extends Parameters> extends Described {
  /** By the names that the handler knows them by; those of HTTP are in the parameters. */
  readonly parameters?: P;
  readonly handle: (
    services: HttpServices,
  ) => (request: CheckedRequest<ValuesOf<P>>, response: Response) => void | Promise<void>;
}

export interface Operation extends Described {
  readonly parameters: readonly Parameter<unknown>[];
  /** Checks a request, whose path and method have been found to be the operation's, and answers it. */
  readonly handlerOf: (services: HttpServices) => RequestHandler;
}

export function operation<const P extends Parameters = Record<never, never>>(definition: Definition<P>): Operation {
  const { parameters = {} as P, handle, ...described } = definition;
  return {
    ...described,
    parameters: Object.values(parameters),
    handlerOf: (services) => {
      const answer = handle(services);
      const read = parameterReader(parameters);
      return async (request, response) => {
        const values = read(request) as ValuesOf<P>;
        const body = described.body ? await readJsonBody(request, response, described.body.required) : undefined;
        await answer(new Checked(values, body, response), response);
      };
    },
  };
}

class Checked<Values> implements CheckedRequest<Values> {
  readonly parameters: Values;
  readonly body: unknown;
  readonly #response: ServerResponse;
  #signal: AbortSignal | null = null;

  constructor(parameters: Values, body: unknown, response: ServerResponse) {
    this.parameters = parameters;
    this.body = body;
    this.#response = response;
  }

  get isHead(): boolean {
    return this.#response.req.method === 'HEAD';
  }

  /** Made when it is asked for: most answers are given at once, and it is dear. */
  get signal(): AbortSignal {
    this.#signal ??= callerSignal(this.#response);
    return this.#signal;
  }
}

function callerSignal(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  // With a reason of its own it makes no exception, whose stack would be the dearest part of a small request.
  const end = () => {
    if (!response.writableFinished) controller.abort('the connection is gone');
  };
  if (response.destroyed) end();
  response.once('close', end);
  return controller.signal;
}

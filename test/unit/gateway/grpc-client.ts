// A grpc-js client of the gateway for tests, and a reader of error details that is written from their .proto files
// (https://github.com/googleapis/googleapis/tree/master/google/rpc), apart from the writer in the gateway.

import assert from 'node:assert/strict';
import {
  type Client,
  type ClientReadableStream,
  credentials,
  type ServiceError as GrpcError,
  loadPackageDefinition,
} from '@grpc/grpc-js';
import { fromJSON, type MessageTypeDefinition, type PackageDefinition } from '@grpc/proto-loader';
import { loadProtocol } from '../../../gateway/grpc/grpc-protocol.ts';

// biome-ignore lint/suspicious/noExplicitAny: answers are looked at field by field
export type Answer = any;

const details = fromJSON({
  nested: {
    Status: {
      fields: {
        code: { type: 'int32', id: 1 },
        message: { type: 'string', id: 2 },
        details: { rule: 'repeated', type: 'Any', id: 3 },
      },
    },
    Any: { fields: { type_url: { type: 'string', id: 1 }, value: { type: 'bytes', id: 2 } } },
    ErrorInfo: { fields: { reason: { type: 'string', id: 1 }, domain: { type: 'string', id: 2 } } },
    Violation: { fields: { field: { type: 'string', id: 1 }, description: { type: 'string', id: 2 } } },
    BadRequest: { fields: { field_violations: { rule: 'repeated', type: 'Violation', id: 1 } } },
    Delay: { fields: { seconds: { type: 'int32', id: 1 }, nanos: { type: 'int32', id: 2 } } },
    RetryInfo: { fields: { retry_delay: { type: 'Delay', id: 1 } } },
  },
});

function decode(type: string, bytes: Buffer): Answer {
  return (details[type] as MessageTypeDefinition<object, object>).deserialize(bytes);
}

/** The details of a failed call by their short names. */
export function detailsOf(error: GrpcError): Record<string, Answer> {
  const rich = decode('Status', error.metadata.get('grpc-status-details-bin')[0] as Buffer);
  assert.equal(rich.code ?? 0, error.code);
  assert.equal(rich.message, error.details);
  const entries = rich.details.map(({ type_url, value }: Answer) => {
    assert.match(type_url, /^type\.googleapis\.com\/google\.rpc\./);
    const type = type_url.split('.').at(-1);
    return [type, decode(type, value)];
  });
  return Object.fromEntries(entries);
}

export function reasonOf(error: GrpcError): string {
  return detailsOf(error)['ErrorInfo'].reason;
}

/** Fields that a refusal names. */
export function violatedFields(error: GrpcError): string[] {
  return (detailsOf(error)['BadRequest']?.field_violations ?? []).map(({ field }: Answer) => field);
}

export function connect(protocol: PackageDefinition, service: string, address: string): Client {
  const found = service.split('.').reduce((scope: Answer, name) => scope[name], loadPackageDefinition(protocol));
  // A connection of its own: grpc-js would share one between clients of the same address.
  return new found(address, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
}

export function connectTasks(address: string): Client {
  return connect(loadProtocol(), 'taskkeeper.v1.TaskService', address);
}

export function call(client: Client, method: string, request: object, options: object = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    (client as Answer)[method](request, options, (error: unknown, answer: Answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
}

export async function failure(answer: Promise<unknown>): Promise<GrpcError> {
  const [outcome] = await Promise.allSettled([answer]);
  assert.equal(outcome?.status, 'rejected');
  return outcome.reason as GrpcError;
}

/** A stream of answers that is read one by one. */
export class Stream {
  /** Resolves when the gateway has begun to listen. */
  readonly opened: Promise<unknown>;
  readonly #call: ClientReadableStream<Answer>;
  readonly #answers: AsyncIterator<Answer>;
  /** grpc-js tells a failure by an event alone, before the end is read. */
  #failure: Error | null = null;

  constructor(client: Client, method: string, request: object, options: object = {}) {
    this.#call = (client as Answer)[method](request, options);
    this.opened = new Promise((resolve) => this.#call.once('metadata', resolve));
    this.#call.on('error', (error) => {
      this.#failure = error;
    });
    this.#answers = this.#call[Symbol.asyncIterator]();
  }

  /** Undefined at an end with OK; throws the status of another end. */
  async next(): Promise<Answer> {
    const { value, done } = await this.#answers.next();
    if (done && this.#failure) throw this.#failure;
    return value;
  }

  async rest(): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (let answer = await this.next(); answer !== undefined; answer = await this.next()) answers.push(answer);
    return answers;
  }

  cancel(): void {
    this.#call.cancel();
  }
}

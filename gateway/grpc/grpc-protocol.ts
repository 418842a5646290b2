// Loads the .proto that is the contract of the gRPC face. It is read at start from proto/ in the root of the package,
// so that folder has to be beside dist/ wherever the gateway is installed (this file runs as dist/gateway/grpc/*.js).

import { fileURLToPath } from 'node:url';
import {
  loadSync,
  type MessageTypeDefinition,
  type PackageDefinition,
  type ServiceDefinition,
} from '@grpc/proto-loader';
import { limits } from '../../domain/limits.ts';

export const taskServiceName = 'taskkeeper.v1.TaskService';

const protoFolder = fileURLToPath(new URL('../../../proto', import.meta.url));

/** Field names as in the .proto; 64-bit numbers as doubles (all of ours are far below 2^53); unset fields missing. */
export function loadProtocol(): PackageDefinition {
  return loadSync('taskkeeper/v1/task_service.proto', {
    includeDirs: [protoFolder],
    keepCase: true,
    longs: Number,
    enums: String,
  });
}

export type Encode = (message: object) => Buffer;

/** The writer of one message of the task service. */
export function encoderOf(protocol: PackageDefinition, message: string): Encode {
  const found = protocol[`taskkeeper.v1.${message}`] as MessageTypeDefinition<object, object>;
  return (value) => found.serialize(value);
}

/**
 * Room for some more tasks than a batch may have, of which its checks tell better; beyond that a request is not even decoded:
 * a megabyte of empty tasks is half a million objects, and nothing else is done while they are made.
 */
const fieldsMax = 2 * limits.batchTasksMax;

/** Looks at the first level only, by the tags (https://protobuf.dev/programming-guides/encoding/). */
function refuseManyFields(bytes: Buffer): void {
  let fields = 0;
  for (let at = 0; at < bytes.length; fields += 1) {
    if (fields === fieldsMax) throw new Error(`it has more than ${fieldsMax} fields`);
    const tag = varintAt(bytes, at);
    at = endOfField(bytes, tag.end, tag.value % 8);
  }
}

function endOfField(bytes: Buffer, at: number, wireType: number): number {
  switch (wireType) {
    case 0:
      return varintAt(bytes, at).end;
    case 1:
      return at + 8;
    case 2: {
      const length = varintAt(bytes, at);
      return length.end + length.value;
    }
    case 5:
      return at + 4;
    default:
      return bytes.length; // a group, or no protobuf: for the decoder to judge
  }
}

/** `end` is past the last byte at the latest where the number has none. */
function varintAt(bytes: Buffer, at: number): { value: number; end: number } {
  let value = 0;
  let end = at;
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[end] ?? 0;
    value += (byte % 128) * scale;
    end += 1;
    if (byte < 128) return { value, end };
  }
}

/** A request that is no valid message of its type, or is nested too deeply to be read. */
export class UnreadableMessage {
  readonly detail: string;

  constructor(cause: unknown) {
    this.detail = cause instanceof Error ? cause.message : String(cause);
  }
}

/**
 * The service of `protocol` with readers that answer an UnreadableMessage instead of throwing, since grpc-js would call
 * what a client did wrong an INTERNAL error; and with writers that take what is encoded already as it is.
 */
export function taskServiceOf(protocol: PackageDefinition): ServiceDefinition {
  const service = protocol[taskServiceName] as ServiceDefinition;
  const methods = Object.entries(service).map(([name, method]) => {
    const requestDeserialize = (bytes: Buffer): object => {
      try {
        refuseManyFields(bytes);
        return method.requestDeserialize(bytes);
      } catch (error) {
        return new UnreadableMessage(error);
      }
    };
    const responseSerialize = (answer: object): Buffer =>
      Buffer.isBuffer(answer) ? answer : method.responseSerialize(answer);
    return [name, { ...method, requestDeserialize, responseSerialize }];
  });
  return Object.fromEntries(methods);
}

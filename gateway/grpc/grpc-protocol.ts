// Loads the .proto that is the contract of the gRPC face. It is read at start from proto/ in the root of the package,
// so that folder has to be beside dist/ wherever the gateway is installed (this file runs as dist/gateway/grpc/*.js).

import { fileURLToPath } from 'node:url';
import {
  loadSync,
  type MessageTypeDefinition,
  type PackageDefinition,
  type ServiceDefinition,
} from '@grpc/proto-loader';

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

// What a failed call carries in its trailer (google.rpc.Status), read with the field numbers of google/rpc/status.proto
// and error_details.proto.

import type { ServiceError } from '@grpc/grpc-js';
import { fromJSON, type MessageTypeDefinition } from '@grpc/proto-loader';

const messages = fromJSON(
  {
    nested: {
      Status: {
        fields: {
          code: { type: 'int32', id: 1 },
          message: { type: 'string', id: 2 },
          details: { rule: 'repeated', type: 'Detail', id: 3 },
        },
      },
      Detail: { fields: { type_url: { type: 'string', id: 1 }, value: { type: 'bytes', id: 2 } } },
      ErrorInfo: { fields: { reason: { type: 'string', id: 1 }, domain: { type: 'string', id: 2 } } },
      Violation: { fields: { field: { type: 'string', id: 1 }, description: { type: 'string', id: 2 } } },
      BadRequest: { fields: { field_violations: { rule: 'repeated', type: 'Violation', id: 1 } } },
      Delay: { fields: { seconds: { type: 'int64', id: 1 }, nanos: { type: 'int32', id: 2 } } },
      RetryInfo: { fields: { retry_delay: { type: 'Delay', id: 1 } } },
    },
  },
  { keepCase: true, longs: Number, arrays: true },
);

function decode<T>(type: string, bytes: Buffer): T {
  return (messages[type] as unknown as MessageTypeDefinition<object, object>).deserialize(bytes) as T;
}

export interface ErrorDetails {
  readonly ErrorInfo?: { readonly reason: string; readonly domain: string };
  readonly BadRequest?: {
    readonly field_violations: readonly { readonly field: string; readonly description: string }[];
  };
  readonly RetryInfo?: { readonly retry_delay: { readonly seconds?: number; readonly nanos?: number } };
}

/** By short name; empty where the call carries none. */
export function detailsOf({ metadata }: ServiceError): ErrorDetails {
  const [bytes] = metadata?.get('grpc-status-details-bin') ?? [];
  if (!Buffer.isBuffer(bytes)) return {};
  const { details } = decode<{ details: { type_url: string; value: Buffer }[] }>('Status', bytes);
  const named = details.map(({ type_url, value }) => {
    const type = type_url.split('.').at(-1) ?? '';
    return [type, decode(type, value)];
  });
  return Object.fromEntries(named);
}

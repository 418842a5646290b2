// Errors of the gRPC face: status code, message, and the details of google.rpc.Status in `grpc-status-details-bin`:
// ErrorInfo always, BadRequest for fields that do not fit, RetryInfo where waiting helps.

import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { fromJSON, type MessageTypeDefinition } from '@grpc/proto-loader';
import type { ServiceError } from '../../domain/errors.ts';
import { grpcCodeOf, retryAfterMsOf } from '../error-mapping.ts';
import { timestampOf } from './proto-time.ts';

const errorDomain = 'taskkeeper';
const detailsKey = 'grpc-status-details-bin';

// The part of google/rpc/status.proto and error_details.proto that is sent, by field number
// (https://cloud.google.com/apis/design/errors). Any and Duration are spelt out under names of our own: only the
// numbers go over the wire.
const richErrors = fromJSON({
  nested: {
    Status: {
      fields: {
        code: { type: 'int32', id: 1 },
        message: { type: 'string', id: 2 },
        details: { rule: 'repeated', type: 'Detail', id: 3 },
      },
    },
    Detail: { fields: { typeUrl: { type: 'string', id: 1 }, value: { type: 'bytes', id: 2 } } },
    ErrorInfo: { fields: { reason: { type: 'string', id: 1 }, domain: { type: 'string', id: 2 } } },
    BadRequest: { fields: { fieldViolations: { rule: 'repeated', type: 'FieldViolation', id: 1 } } },
    FieldViolation: { fields: { field: { type: 'string', id: 1 }, description: { type: 'string', id: 2 } } },
    RetryInfo: { fields: { retryDelay: { type: 'Span', id: 1 } } },
    Span: { fields: { seconds: { type: 'int64', id: 1 }, nanos: { type: 'int32', id: 2 } } },
  },
});

function encode(type: string, message: object): Buffer {
  return (richErrors[type] as MessageTypeDefinition<object, object>).serialize(message);
}

function detail(type: string, message: object): object {
  return { typeUrl: `type.googleapis.com/google.rpc.${type}`, value: encode(type, message) };
}

/** The faults of `error` are taken as field paths, not as JSON pointers. */
export function grpcStatusOf(error: ServiceError): StatusObject {
  const code = grpcCodeOf(error.reason);
  const metadata = new Metadata();
  metadata.set(detailsKey, encode('Status', { code, message: error.message, details: detailsOf(error) }));
  return { code, details: error.message, metadata };
}

function detailsOf(error: ServiceError): object[] {
  const details = [detail('ErrorInfo', { reason: error.reason, domain: errorDomain })];
  if (error.faults.length > 0) {
    const fieldViolations = error.faults.map(({ pointer, detail }) => ({ field: pointer, description: detail }));
    details.push(detail('BadRequest', { fieldViolations }));
  }
  const retryAfterMs = retryAfterMsOf(error);
  if (retryAfterMs !== null) details.push(detail('RetryInfo', { retryDelay: timestampOf(retryAfterMs) }));
  return details;
}

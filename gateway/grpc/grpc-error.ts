// Errors of the gRPC face: status code, message, and the details of google.rpc.Status in `grpc-status-details-bin`:
// ErrorInfo always, BadRequest for fields that do not fit, RetryInfo where waiting helps.

import { Metadata, type StatusObject } from '@grpc/grpc-js';
import { fromJSON, type MessageTypeDefinition } from '@grpc/proto-loader';
import type { FieldFault, ServiceError } from '../../domain/errors.ts';
import { wellFormed } from '../../domain/well-formed.ts';
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

/**
 * Clients take 8 KiB of headers, in which the message is escaped (three characters for a byte that is not ASCII) and the
 * details are base64, with the message in them once more. What a client made up (a label's key) can be in both.
 */
const messageBytesMax = 768;
const violationsBytesMax = 2560;

/** The faults of `error` are taken as field paths, not as JSON pointers. */
export function grpcStatusOf(error: ServiceError): StatusObject {
  const code = grpcCodeOf(error.reason);
  const message = cut(error.message, messageBytesMax);
  const metadata = new Metadata();
  metadata.set(detailsKey, encode('Status', { code, message, details: detailsOf(error) }));
  return { code, details: message, metadata };
}

function detailsOf(error: ServiceError): object[] {
  const details = [detail('ErrorInfo', { reason: error.reason, domain: errorDomain })];
  if (error.faults.length > 0) details.push(detail('BadRequest', { fieldViolations: violationsOf(error.faults) }));
  const retryAfterMs = retryAfterMsOf(error);
  if (retryAfterMs !== null) details.push(detail('RetryInfo', { retryDelay: timestampOf(retryAfterMs) }));
  return details;
}

/** As many as fit, and one at least. */
function violationsOf(faults: readonly FieldFault[]): object[] {
  const violations: object[] = [];
  let bytes = 0;
  for (const { pointer, detail } of faults) {
    const violation = { field: cut(pointer, violationsBytesMax / 4), description: cut(detail, violationsBytesMax / 4) };
    bytes += encode('FieldViolation', violation).length;
    if (bytes > violationsBytesMax) break;
    violations.push(violation);
  }
  return violations;
}

/** Well-formed, since what is not cannot be sent. */
function cut(text: string, bytesMax: number): string {
  const whole = wellFormed(text);
  if (Buffer.byteLength(whole) <= bytesMax) return whole;
  const begin = Buffer.from(whole)
    .subarray(0, bytesMax - 3)
    .toString()
    .replace(/\ufffd+$/, '');
  return `${begin}...`;
}

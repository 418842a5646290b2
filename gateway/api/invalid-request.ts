// The error of a request that does not fit, made from its faults: the message says what is wrong and where, whichever
// face it came in by. HTTP names places by JSON pointers, gRPC by field paths.

import { type FieldFault, ServiceError } from '../../domain/errors.ts';
import { serverLimits } from '../server-limits.ts';

const shownInMessage = 3;

export function invalidRequest(faults: readonly FieldFault[]): ServiceError {
  const shown = faults.slice(0, shownInMessage).map(({ pointer, detail }) => `${pointer || 'the body'} ${detail}`);
  const hidden = faults.length - shownInMessage;
  const more = faults.length >= serverLimits.faultsMax ? '; and more' : hidden > 0 ? `; and ${hidden} more` : '';
  return new ServiceError('invalid-request', `The request does not fit: ${shown.join('; ')}${more}.`, {
    faults: faults.slice(0, serverLimits.faultsMax),
  });
}

/** A client may have given a member a megabyte of name. */
const stepCharactersMax = 1024;

/** One step of a JSON pointer (RFC 6901), without the end of a name that is very long. */
export function pointerStep(key: string | number): string {
  return `/${String(key).slice(0, stepCharactersMax).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

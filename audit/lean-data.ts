// Records without what no rule looks at, where that is large, so that the copy of a tree takes no more memory than its tasks are
// many, whatever their payloads and results are. Pure.

import { encode, parseObject } from '../coordination/record-json.ts';
import { limits } from '../domain/limits.ts';

const bytesKept = 2048;
/** In place of data that is too large for any record of ours, which is all that matters of it. */
const tooLarge = Buffer.alloc(limits.recordBytesMax + 1, '{');

/** Reads like the whole, but for the payload, the result and the message of an error. */
export function leanData(data: Buffer): Buffer {
  if (data.length <= bytesKept) return data;
  if (data.length > limits.recordBytesMax) return tooLarge;
  const object = parseObject(data.toString('utf8'));
  // A text, a command say, is one without its end; so is what begins like an object and is none.
  if (!object) return Buffer.from(data.subarray(0, bytesKept));
  const { payload: _payload, result: _result, ...rest } = object;
  const error = rest['error'] as { code?: string } | null | undefined;
  return encode(error?.code === undefined ? rest : { ...rest, error: { code: error.code } });
}

// What is kept of a command's output: the first bytes of each stream for the result, the last of stderr for an error.
// Cut on character borders, and further where the JSON of the result would not fit (a control character takes six bytes
// there). Memory stays within these bounds whatever the command prints. Pure but for the capture itself.

import { limits } from '../../../domain/limits.ts';

export interface Output {
  readonly text: string;
  readonly isTruncated: boolean;
}

/** Collects a stream: its first `headBytesMax` bytes and its last `tailBytesMax`. */
export class OutputCapture {
  readonly #headBytesMax: number;
  readonly #tailBytesMax: number;
  #head = Buffer.alloc(0);
  #tail = Buffer.alloc(0);
  #headBytes = 0;
  bytes = 0;

  constructor(headBytesMax: number, tailBytesMax: number) {
    this.#headBytesMax = headBytesMax;
    this.#tailBytesMax = tailBytesMax;
  }

  add(chunk: Buffer): void {
    this.bytes += chunk.length;
    const wanted = chunk.subarray(0, this.#headBytesMax - this.#headBytes);
    this.#reserve(this.#headBytes + wanted.length);
    this.#headBytes += wanted.copy(this.#head, this.#headBytes);
    // concat copies, so that a small piece does not keep the large chunk that it came in.
    if (this.#tailBytesMax > 0) this.#tail = Buffer.concat([this.#tail, chunk]).subarray(-this.#tailBytesMax);
  }

  head(): Output {
    const isTruncated = this.bytes > this.#headBytes;
    const bytes = this.#head.subarray(0, this.#headBytes);
    const text = (isTruncated ? withoutBrokenEnd(bytes) : bytes).toString();
    // Bytes that are no UTF-8 become replacement characters of three bytes each.
    const cut = cutText(text, this.#headBytesMax, utf8Bytes);
    return { text: cut, isTruncated: isTruncated || cut.length < text.length };
  }

  tail(): string {
    // Continuation bytes at the start belong to a character that is gone.
    let start = 0;
    while (this.bytes > this.#tail.length && start < 3 && isContinuation(this.#tail[start])) start++;
    return this.#tail.subarray(start).toString();
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#head.length) return;
    const grown = Buffer.alloc(Math.min(this.#headBytesMax, Math.max(bytes, this.#head.length * 2, 1024)));
    this.#head.copy(grown);
    this.#head = grown;
  }
}

/** Both outputs as a result: at most `limits.resultBytesMax` as JSON; what one does not need, the other may have. */
export function shellResult(stdout: Output, stderr: Output) {
  // Room for the frame with both flags and the exit code.
  const budget = limits.resultBytesMax - 256;
  const half = Math.floor(budget / 2);
  const stdoutSize = jsonSize(stdout.text);
  const stderrSize = jsonSize(stderr.text);
  const fittingStdout = fit(stdout, Math.max(half, budget - stderrSize));
  const fittingStderr = fit(stderr, Math.max(half, budget - stdoutSize));
  return {
    exitCode: 0,
    stdout: fittingStdout.text,
    stderr: fittingStderr.text,
    ...(fittingStdout.isTruncated && { stdoutTruncated: true }),
    ...(fittingStderr.isTruncated && { stderrTruncated: true }),
  };
}

function fit(output: Output, jsonBytesMax: number): Output {
  const text = cutText(output.text, jsonBytesMax, jsonBytes);
  return { text, isTruncated: output.isTruncated || text.length < output.text.length };
}

/** The longest beginning of whole characters that `size` measures as at most `max`. */
function cutText(text: string, max: number, size: (character: string) => number): string {
  // No character is larger than six bytes in either measure.
  if (text.length * 6 <= max) return text;
  let used = 0;
  let end = 0;
  for (const character of text) {
    used += size(character);
    if (used > max) return text.slice(0, end);
    end += character.length;
  }
  return text;
}

function jsonSize(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

function jsonBytes(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (character === '"' || character === '\\') return 2;
  if (code < 0x20) return '\b\t\n\f\r'.includes(character) ? 2 : 6;
  return utf8Bytes(character);
}

function utf8Bytes(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return 1;
  if (code < 0x800) return 2;
  return code < 0x10000 ? 3 : 4;
}

/** Without the beginning of a character whose rest was cut off. */
function withoutBrokenEnd(bytes: Buffer): Buffer {
  let start = bytes.length - 1;
  while (start > bytes.length - 4 && isContinuation(bytes[start])) start--;
  const lead = bytes[start] ?? 0;
  const length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
  return start + length > bytes.length ? bytes.subarray(0, start) : bytes;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

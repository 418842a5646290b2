// Reading the body of an answer without trust in its length: whole, or line by line as it comes.

export class BodyTooLarge extends Error {
  override readonly name = 'BodyTooLarge';
}

type Body = AsyncIterable<Uint8Array>;

/** The whole body as text. Throws {@link BodyTooLarge}. */
export async function readText(body: Body, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new BodyTooLarge(`more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const newline = 0x0a;

/** Each line without its end, as soon as that has come; what follows the last one is dropped. Throws {@link BodyTooLarge}. */
export async function* readLines(body: Body, lineBytesMax: number): AsyncGenerator<string> {
  let begun: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      requireRoom(bytes + end - from, lineBytesMax);
      yield Buffer.concat([...begun, chunk.subarray(from, end)]).toString('utf8');
      begun = [];
      bytes = 0;
      from = end + 1;
    }
    const rest = chunk.subarray(from);
    bytes += rest.length;
    requireRoom(bytes, lineBytesMax);
    if (rest.length > 0) begun.push(rest);
  }
}

function requireRoom(bytes: number, bytesMax: number): void {
  if (bytes > bytesMax) throw new BodyTooLarge(`a line of more than ${bytesMax} bytes`);
}

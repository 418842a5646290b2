// One GET whose answer is read as it comes. Not `fetch`: of Node 20's an abort is lost once the request has been garbage
// collected while its body is still read (seen with undici 6.24), and it refuses ports that are good ones for us.

import { get as httpGet, type IncomingMessage } from 'node:http';

/** The body of a 200, for reading once; whoever stops reading ends it, and so does `signal`, with an error. */
export function get(url: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>> {
  return new Promise((resolve, reject) => {
    const onAnswer = (response: IncomingMessage) => {
      if (response.statusCode === 200) return resolve(response);
      response.destroy();
      reject(new Error(`status ${response.statusCode}`));
    };
    // A connection of its own: none that was kept can have been closed meanwhile.
    httpGet(url, { agent: false, signal }, onAnswer).on('error', reject);
  });
}

// One GET to a process of this machine, on a connection that nobody keeps.

import { get } from 'node:http';

export interface LoopbackAnswer {
  readonly status: number;
  readonly text: string;
}

/** Rejects where there is no answer in time. */
export function loopbackGet(port: number, path: string, timeoutMs: number): Promise<LoopbackAnswer> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, agent: false, signal: AbortSignal.timeout(timeoutMs) };
    const request = get(options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on('error', reject);
  });
}

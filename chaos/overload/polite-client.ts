// The client that everybody else is: it asks one thing at a time, on a connection of its own for each thing that it does, and rests in between.
// How long its answers take while others overdo it is what an overload costs.

import { HttpConnection } from '../../test/support/http-connection.ts';
import { type Latency, latencyOf } from './loads/latency.ts';

export interface Errand {
  readonly method: 'GET' | 'POST';
  /** Asked for each time. */
  readonly path: () => string;
  readonly body?: string;
  readonly statuses: readonly number[];
  readonly onAnswer?: (body: string) => void;
}

export interface Served {
  readonly latency: Latency;
  /** Of all answers the part, 0 to 1, that was a 503 with `Retry-After`: nothing was done, it is to be asked again. */
  readonly refused: number;
  /** Answers other than those that there should be, a few of them. */
  readonly wrong: readonly string[];
}

const restMs = 50;
const wrongMax = 5;

export class PoliteClient {
  readonly #port: number;
  readonly #errands: Promise<[string, Served]>[];
  #stop = new AbortController();

  constructor(port: number, errands: Readonly<Record<string, Errand>>) {
    this.#port = port;
    this.#errands = Object.entries(errands).map(async ([name, errand]): Promise<[string, Served]> => {
      return [name, await this.#repeat(errand)];
    });
  }

  /** What became of each errand, by its name. */
  async stop(): Promise<Map<string, Served>> {
    this.#stop.abort();
    return new Map(await Promise.all(this.#errands));
  }

  async #repeat({ method, path, body, statuses, onAnswer }: Errand): Promise<Served> {
    const ms: number[] = [];
    let refused = 0;
    const wrong: string[] = [];
    let connection: HttpConnection | null = null;
    while (!this.#stop.signal.aborted) {
      const at = performance.now();
      try {
        connection ??= await HttpConnection.open(this.#port);
        const answer = await connection.request(method, path(), body);
        const text = answer.body.toString();
        const isRefusal = answer.status === 503 && /\r\nretry-after:/i.test(answer.head);
        if (isRefusal) refused += 1;
        else if (!statuses.includes(answer.status)) throw new Error(`${answer.status} ${text.slice(0, 300)}`);
        if (!isRefusal) onAnswer?.(text);
        ms.push(performance.now() - at);
      } catch (error) {
        connection?.close();
        connection = null;
        if (wrong.length < wrongMax) wrong.push((error as Error).message);
      }
      await rest(this.#stop.signal);
    }
    connection?.close();
    return { latency: latencyOf(ms), refused: refused / Math.max(1, ms.length), wrong };
  }
}

function rest(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, restMs);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

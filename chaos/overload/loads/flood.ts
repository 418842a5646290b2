// A client that submits as fast as it can, over HTTP or gRPC: so many submits in flight all the time, and a refusal only makes it come
// again at once. Every answer is looked at: an acknowledgement names its tasks, and a refusal says what refusals have to say.

import type { Client, ServiceError } from '@grpc/grpc-js';
import { detailsOf } from '../../../test/support/grpc-details.ts';
import { taskServiceClient } from '../../../test/support/grpc-face.ts';
import { HttpConnection } from '../../../test/support/http-connection.ts';
import { RunScope } from '../../../test/support/run-scope.ts';
import { type Latency, latencyOf } from './latency.ts';

export interface FloodInput {
  /** Of the gateway; null: nothing over that face. */
  readonly httpPort: number | null;
  readonly grpcAddress: string | null;
  /** Submits in flight over each face. */
  readonly lanes: number;
  readonly seconds: number;
  readonly type: string;
  readonly queue: string;
  /** In each submit; more than one are a batch. */
  readonly tasks: number;
}

export interface FloodResult {
  readonly seconds: number;
  /** Numbers of the tasks. */
  readonly acknowledged: readonly number[];
  readonly refused: number;
  /** Other answers than those two, and refusals that lack something: a few of them. */
  readonly wrong: readonly string[];
  readonly acceptedMs: Latency;
  readonly refusedMs: Latency;
}

/** Numbers of the tasks that were made, null for a refusal; throws what is wrong. */
type Submit = () => Promise<number[] | null>;

const wrongMax = 10;
let stopped = false;

export async function flood(input: FloodInput): Promise<FloodResult> {
  stopped = false;
  const scope = new RunScope();
  try {
    const lanes = [...(await httpLanes(scope, input)), ...grpcLanes(scope, input)];
    const tally = new Tally();
    const startedAt = performance.now();
    const isOver = () => stopped || performance.now() - startedAt > input.seconds * 1000;
    await Promise.all(lanes.map((submit) => runLane(submit, tally, isOver)));
    return tally.result((performance.now() - startedAt) / 1000);
  } finally {
    await scope.close();
  }
}

/** Each lane ends with the answer that it waits for. */
export async function stopFlood(): Promise<void> {
  stopped = true;
}

async function runLane(submit: Submit, tally: Tally, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const at = performance.now();
    try {
      tally.add(await submit(), performance.now() - at);
    } catch (error) {
      if (!tally.addWrong((error as Error).message)) return;
    }
  }
}

class Tally {
  readonly #acknowledged: number[] = [];
  readonly #acceptedMs: number[] = [];
  readonly #refusedMs: number[] = [];
  readonly #wrong: string[] = [];

  add(made: number[] | null, ms: number): void {
    if (made === null) {
      this.#refusedMs.push(ms);
      return;
    }
    this.#acceptedMs.push(ms);
    this.#acknowledged.push(...made);
  }

  /** False where there have been so many that it is no use to go on. */
  addWrong(what: string): boolean {
    this.#wrong.push(what.slice(0, 300));
    return this.#wrong.length < wrongMax;
  }

  result(seconds: number): FloodResult {
    return {
      seconds,
      acknowledged: this.#acknowledged,
      refused: this.#refusedMs.length,
      wrong: this.#wrong,
      acceptedMs: latencyOf(this.#acceptedMs),
      refusedMs: latencyOf(this.#refusedMs),
    };
  }
}

async function httpLanes(scope: RunScope, { httpPort, lanes, tasks, type, queue }: FloodInput): Promise<Submit[]> {
  if (httpPort === null) return [];
  const one = JSON.stringify({ type, queue, payload: { n: 1 } });
  const body = tasks === 1 ? one : `{"tasks":[${Array(tasks).fill(one).join()}]}`;
  const path = tasks === 1 ? '/tasks' : '/tasks/batch';
  const connections = await Promise.all(Array.from({ length: lanes }, () => HttpConnection.open(httpPort)));
  scope.after(async () => {
    for (const connection of connections) connection.close();
  });
  return connections.map((connection) => async () => {
    const { status, head, body: answer } = await connection.request('POST', path, body);
    const text = answer.toString();
    if (status === 201) return numbersIn(text);
    const isRefusal = status === 429 && /\r\nretry-after: *[1-9]\d*\r?\n?/i.test(`${head}\r\n`);
    if (isRefusal && /"type":"[^"]*\/queue-full"/.test(text)) return null;
    throw new Error(`HTTP ${head}\r\n\r\n${text}`);
  });
}

function numbersIn(text: string): number[] {
  return [...text.matchAll(/"id":"task-(\d+)"/g)].map(([, number]) => Number(number));
}

function grpcLanes(scope: RunScope, { grpcAddress, lanes, tasks, type, queue }: FloodInput): Submit[] {
  if (grpcAddress === null) return [];
  const client = taskServiceClient(scope, grpcAddress);
  const spec = { type, queue, payload: { structValue: { fields: { n: { numberValue: 1 } } } } };
  const [method, request] =
    tasks === 1 ? (['SubmitTask', { spec }] as const) : (['SubmitTasks', { specs: Array(tasks).fill(spec) }] as const);
  return Array.from({ length: lanes }, () => () => submitOverGrpc(client, method, request));
}

function submitOverGrpc(client: Client, method: string, request: object): Promise<number[] | null> {
  interface Answered {
    readonly task?: { readonly id: string };
    readonly tasks?: readonly { readonly id: string }[];
  }
  type Method = (request: object, callback: (error: ServiceError | null, answer: Answered) => void) => void;
  return new Promise((resolve, reject) => {
    const call = (client as unknown as Record<string, Method>)[method] as Method;
    call.call(client, request, (error, answer) => {
      if (error === null) {
        const tasks = answer.task ? [answer.task] : (answer.tasks ?? []);
        return resolve(tasks.map(({ id }) => Number(id.slice('task-'.length))));
      }
      const { ErrorInfo, RetryInfo } = detailsOf(error);
      const isRefusal = error.code === resourceExhausted && RetryInfo !== undefined;
      if (isRefusal && ErrorInfo?.reason === 'queue-full') resolve(null);
      else reject(new Error(`gRPC ${error.message} (${ErrorInfo?.reason})`));
    });
  });
}

/** https://grpc.io/docs/guides/status-codes */
const resourceExhausted = 8;

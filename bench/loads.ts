// The loads that the driver makes, against any service that speaks this much of our HTTP interface:
//
//   POST /tasks {type, payload}            201 {id}
//   GET  /tasks/:id?wait=10s               200 {state, result}
//   POST /tasks/batch {tasks}              201
//   GET  /stats                            200 {tasks: {succeeded}}

import { HttpConnection } from '../test/support/http-connection.ts';
import { percentile } from './statistics.ts';

export interface Load {
  /** `submit`: POSTs until all are in, then until all are done. `roundTrips`: each POST, then its result. `bulk`: as submit, many in a POST. */
  readonly work: 'submit' | 'roundTrips' | 'bulk';
  readonly port: number;
  readonly tasks: number;
  readonly inFlight: number;
}

export interface LoadResult {
  /** From the first request until everything is done. */
  readonly seconds: number;
  /** Until everything was acknowledged. */
  readonly submitSeconds: number;
  /** Of each POST. */
  readonly submitMs: Latency;
  /** From the POST to the result; of `roundTrips` only. */
  readonly roundTripMs: Latency | null;
  readonly cpuSeconds: number;
}

/** A rank is left out where there are too few requests for it: the 99th of a hundred needs a hundred. */
export type Latency = Readonly<Partial<Record<keyof typeof ranks, number>>>;

const ranks = { p50: 0.5, p95: 0.95, p99: 0.99 };

const bulkTasks = 1000;
const pollMs = 10;
const secondsMax = 300;
const finalStates = new Set(['succeeded', 'failed', 'cancelled']);

export async function runLoad(load: Load): Promise<LoadResult> {
  const { port, tasks, work } = load;
  const requests = work === 'bulk' ? Math.ceil(tasks / bulkTasks) : tasks;
  const lanes = await Promise.all(
    Array.from({ length: Math.min(load.inFlight, requests) }, () => HttpConnection.open(port)),
  );
  const [first] = lanes;
  if (!first) throw new Error('a load of nothing');
  const before = work === 'roundTrips' ? 0 : await countDone(first);
  const cpu = process.cpuUsage();
  const submitMs = new Float64Array(requests);
  const roundTripMs = new Float64Array(work === 'roundTrips' ? requests : 0);
  const startedAt = performance.now();
  let next = 0;
  const runLane = async (lane: HttpConnection) => {
    for (let n = next++; n < requests; n = next++) {
      const at = performance.now();
      const body = work === 'bulk' ? bulkBody(n, tasks) : taskBody(n);
      const answer = await lane.request('POST', work === 'bulk' ? '/tasks/batch' : '/tasks', body);
      if (answer.status !== 201) throw new Error(`a submit was answered ${answer.status}: ${answer.body}`);
      submitMs[n] = performance.now() - at;
      if (work !== 'roundTrips') continue;
      await waitForResult(lane, JSON.parse(answer.body.toString()).id, n);
      roundTripMs[n] = performance.now() - at;
    }
  };
  await Promise.all(lanes.map(runLane));
  const submittedAt = performance.now();
  while (work !== 'roundTrips' && (await countDone(first)) - before < tasks) {
    if (performance.now() - startedAt > secondsMax * 1000) throw new Error(`not done after ${secondsMax} s`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const doneAt = performance.now();
  const used = process.cpuUsage(cpu);
  for (const lane of lanes) lane.close();
  return {
    seconds: (doneAt - startedAt) / 1000,
    submitSeconds: (submittedAt - startedAt) / 1000,
    submitMs: latency(submitMs),
    roundTripMs: work === 'roundTrips' ? latency(roundTripMs) : null,
    cpuSeconds: (used.user + used.system) / 1e6,
  };
}

async function waitForResult(lane: HttpConnection, id: string, n: number): Promise<void> {
  for (;;) {
    const { status, body } = await lane.request('GET', `/tasks/${id}?wait=10s`);
    const task = status === 200 ? JSON.parse(body.toString()) : {};
    if (status !== 200 || (finalStates.has(task.state) && task.result?.n !== n)) throw new Error(`${id}: ${body}`);
    if (finalStates.has(task.state)) return;
  }
}

async function countDone(lane: HttpConnection): Promise<number> {
  const { status, body } = await lane.request('GET', '/stats');
  if (status !== 200) throw new Error(`GET /stats: ${status} ${body}`);
  return JSON.parse(body.toString()).tasks.succeeded;
}

function taskBody(n: number): string {
  return `{"type":"echo","payload":{"n":${n}}}`;
}

function bulkBody(n: number, tasks: number): string {
  const from = n * bulkTasks;
  const bodies = Array.from({ length: Math.min(bulkTasks, tasks - from) }, (_, i) => taskBody(from + i));
  return `{"tasks":[${bodies.join()}]}`;
}

export function latency(ms: Float64Array): Latency {
  const known = Object.entries(ranks).filter(([, p]) => ms.length >= 1 / (1 - p));
  return Object.fromEntries(known.map(([rank, p]) => [rank, percentile(ms, p)]));
}

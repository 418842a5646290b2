// Thousands of clients that each wait for a task, with one request on a connection of its own.

import { taskIdOf } from '../../../domain/task-id.ts';
import { HttpConnection } from '../../../test/support/http-connection.ts';
import { type Latency, latencyOf } from './latency.ts';

export interface LongPollsInput {
  readonly port: number;
  /** Of the tasks, one for each. */
  readonly numbers: readonly number[];
  readonly waitSeconds: number;
}

export interface LongPollAnswers {
  /** How many answers had each status; `none`: the connection ended without one. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Tasks that were final in their answer. */
  readonly final: number;
  /** From the end of the task to its answer, of those that were final. */
  readonly lateMs: Latency;
  /** From the request to the answer, of all. */
  readonly tookMs: Latency;
}

interface Polled {
  readonly status: number | 'none';
  readonly lateMs: number | null;
  readonly tookMs: number;
}

/** A listener's queue has room for 511 connections that it has not accepted yet. */
const connectsAtOnce = 200;

let connections: HttpConnection[] = [];
let answers: Promise<Polled[]> = Promise.resolve([]);

/** Resolves when all have asked; one set at a time. */
export async function openLongPolls({ port, numbers, waitSeconds }: LongPollsInput): Promise<void> {
  connections = [];
  const polls: Promise<Polled>[] = [];
  for (let from = 0; from < numbers.length; from += connectsAtOnce) {
    const some = numbers.slice(from, from + connectsAtOnce);
    const opened = await Promise.all(some.map(() => HttpConnection.open(port)));
    connections.push(...opened);
    polls.push(...opened.map((connection, place) => poll(connection, some[place] ?? 0, waitSeconds)));
  }
  answers = Promise.all(polls);
}

/** Resolves when each has been answered. The connections are closed. */
export async function longPollAnswers(): Promise<LongPollAnswers> {
  const all = await answers;
  await dropLongPolls();
  const statuses: Record<string, number> = {};
  for (const { status } of all) statuses[status] = (statuses[status] ?? 0) + 1;
  const late = all.flatMap(({ lateMs }) => (lateMs === null ? [] : [lateMs]));
  return {
    statuses,
    final: late.length,
    lateMs: latencyOf(late),
    tookMs: latencyOf(all.map(({ tookMs }) => tookMs)),
  };
}

/** They go without a word. */
export async function dropLongPolls(): Promise<void> {
  for (const connection of connections) connection.close();
  connections = [];
}

async function poll(connection: HttpConnection, number: number, waitSeconds: number): Promise<Polled> {
  const startedAt = performance.now();
  const path = `/tasks/${taskIdOf(number)}?wait=${waitSeconds}s`;
  try {
    const { status, body } = await connection.request('GET', path);
    const { finishedAt = null } = status === 200 ? JSON.parse(body.toString()) : {};
    const lateMs = finishedAt === null ? null : Date.now() - Date.parse(finishedAt);
    return { status, lateMs, tookMs: performance.now() - startedAt };
  } catch {
    return { status: 'none', lateMs: null, tookMs: performance.now() - startedAt };
  }
}

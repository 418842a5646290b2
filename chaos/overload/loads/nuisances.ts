// Clients that keep a gateway busy without asking it for anything: headers that come byte by byte, connections that say nothing,
// bytes that are no request, bodies without end.

import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Latency, latencyOf } from './latency.ts';

export interface HeldInput {
  readonly port: number;
  readonly connections: number;
  /** Bytes that are sent at once, and then one more again and again; '' says nothing at all. */
  readonly begin: string;
  readonly dribble: string;
}

export interface HeldResult {
  /** How many were told each status before they were closed; `none`: without a word. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly heldMs: Latency;
}

export interface NonsenseInput {
  readonly port: number;
  /** At a time, each on a connection after the other. */
  readonly lanes: number;
  readonly seconds: number;
  readonly kinds: readonly Nonsense[];
}

/** What is sent, base64, so many times as long as the other side takes it. */
export interface Nonsense {
  readonly bytes: string;
  readonly repeat: number;
}

export interface NonsenseResult {
  readonly statuses: Readonly<Record<string, number>>;
  readonly perSecond: number;
}

const dribbleMs = 500;
const connectsAtOnce = 200;

/** Resolves when the gateway has ended each. */
export async function holdConnections({ port, connections, begin, dribble }: HeldInput): Promise<HeldResult> {
  const held: Promise<{ status: string; ms: number }>[] = [];
  for (let opened = 0; opened < connections; opened += connectsAtOnce) {
    const sockets = Array.from({ length: Math.min(connectsAtOnce, connections - opened) }, () =>
      connect(port, '127.0.0.1'),
    );
    held.push(...sockets.map((socket) => heldUntilClosed(socket, begin, dribble)));
    await Promise.all(sockets.map((socket) => Promise.race([once(socket, 'connect'), once(socket, 'close')])));
  }
  const all = await Promise.all(held);
  return { statuses: countOf(all.map(({ status }) => status)), heldMs: latencyOf(all.map(({ ms }) => ms)) };
}

async function heldUntilClosed(
  socket: Socket,
  begin: string,
  dribble: string,
): Promise<{ status: string; ms: number }> {
  const startedAt = performance.now();
  socket.write(begin);
  const timer = setInterval(() => socket.write(dribble), dribbleMs);
  const status = await statusUntilClosed(socket);
  clearInterval(timer);
  return { status, ms: performance.now() - startedAt };
}

/** One connection after the other in each lane, for so long. */
export async function sendNonsense({ port, lanes, seconds, kinds }: NonsenseInput): Promise<NonsenseResult> {
  const startedAt = performance.now();
  const statuses: string[] = [];
  const lane = async (first: number) => {
    for (let n = first; performance.now() - startedAt < seconds * 1000; n += 1) {
      const { bytes, repeat } = kinds[n % kinds.length] as Nonsense;
      const socket = connect(port, '127.0.0.1');
      const status = statusUntilClosed(socket);
      await sendWhileTaken(socket, Buffer.from(bytes, 'base64'), repeat);
      statuses.push(await status);
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, i) => lane(i)));
  return { statuses: countOf(statuses), perSecond: statuses.length / ((performance.now() - startedAt) / 1000) };
}

async function sendWhileTaken(socket: Socket, bytes: Buffer, repeat: number): Promise<void> {
  for (let sent = 0; sent < repeat && !socket.destroyed; sent += 1) {
    // Rejects where the other side has ended it in the middle: that is an end as well.
    if (!socket.write(bytes)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
  }
}

function statusUntilClosed(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let begin = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      if (begin.length < 12) begin += text;
    });
    socket.on('error', () => undefined); // a reset is an end as well
    socket.once('close', () => resolve(/^HTTP\/1\.1 (\d{3})/.exec(begin)?.[1] ?? 'none'));
  });
}

function countOf(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

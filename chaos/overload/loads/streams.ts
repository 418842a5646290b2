// Thousands of gRPC streams that are read as they come, on a few connections.

import type { ClientReadableStream } from '@grpc/grpc-js';
import { taskIdOf } from '../../../domain/task-id.ts';
import { taskServiceClient } from '../../../test/support/grpc-face.ts';
import { RunScope } from '../../../test/support/run-scope.ts';

export interface StreamsInput {
  readonly address: string;
  /** A WatchTask for each. */
  readonly numbers: readonly number[];
  /** So many WatchEvents beside them. */
  readonly events: number;
  /** A server lets a connection have a thousand streams; more of them wait in the client. */
  readonly streamsPerConnection: number;
}

export interface StreamEnds {
  /** How many WatchTask streams ended with each code: 0 is OK. */
  readonly codes: Readonly<Record<string, number>>;
  /** WatchTask streams whose last message had the final state. */
  readonly final: number;
  /** Messages of all WatchTask streams, and of the WatchEvents stream that got the fewest and the most. */
  readonly changes: number;
  readonly eventsFewest: number;
  readonly eventsMost: number;
  readonly resets: number;
}

interface Watched {
  readonly code: number;
  readonly isFinal: boolean;
  readonly messages: number;
}

type Message = { readonly task?: { readonly state: string }; readonly reset?: object };
type Streaming = Record<'WatchTask' | 'WatchEvents', (request: object) => ClientReadableStream<Message>>;

const finalStates = new Set(['TASK_STATE_SUCCEEDED', 'TASK_STATE_FAILED', 'TASK_STATE_CANCELLED']);

let scope = new RunScope();
let watched: Promise<Watched[]> = Promise.resolve([]);
let watching: ClientReadableStream<Message>[] = [];
let listeners: { readonly call: ClientReadableStream<Message>; events: number; resets: number }[] = [];

/** Resolves when each has its first message, or its headers where there is nothing to be told yet. */
export async function openStreams(input: StreamsInput): Promise<void> {
  scope = new RunScope();
  const streams = input.numbers.length + input.events;
  const clients = Array.from({ length: Math.ceil(streams / input.streamsPerConnection) }, () => {
    const ownConnection = { 'grpc.use_local_subchannel_pool': 1 };
    return taskServiceClient(scope, input.address, ownConnection) as unknown as Streaming;
  });
  const clientOf = (place: number) => clients[Math.floor(place / input.streamsPerConnection)] as Streaming;
  const opened: Promise<unknown>[] = [];
  watching = input.numbers.map((number, place) => clientOf(place).WatchTask({ id: taskIdOf(number) }));
  watched = Promise.all(watching.map(watch));
  opened.push(...watching.map((call) => new Promise((resolve) => call.once('data', resolve).once('error', resolve))));
  listeners = Array.from({ length: input.events }, (_, i) => {
    const call = clientOf(input.numbers.length + i).WatchEvents({});
    opened.push(new Promise((resolve) => call.once('metadata', resolve).once('error', resolve)));
    return listen(call);
  });
  await Promise.all(opened);
}

/** Resolves when each WatchTask has ended; the others are ended then. */
export async function streamEnds(): Promise<StreamEnds> {
  const ends = await watched;
  const events = listeners.map((listener) => listener.events);
  const resets = listeners.reduce((sum, listener) => sum + listener.resets, 0);
  await closeStreams();
  const codes: Record<string, number> = {};
  for (const { code } of ends) codes[code] = (codes[code] ?? 0) + 1;
  return {
    codes,
    resets,
    final: ends.filter(({ isFinal }) => isFinal).length,
    changes: ends.reduce((sum, { messages }) => sum + messages, 0),
    eventsFewest: events.length === 0 ? 0 : Math.min(...events),
    eventsMost: Math.max(0, ...events),
  };
}

/** Their clients give up. */
export async function closeStreams(): Promise<void> {
  for (const call of [...watching, ...listeners.map((listener) => listener.call)]) call.cancel();
  await scope.close();
}

function watch(call: ClientReadableStream<Message>): Promise<Watched> {
  return new Promise((resolve) => {
    let messages = 0;
    let isFinal = false;
    call.on('data', ({ task }: Message) => {
      messages += 1;
      isFinal = finalStates.has(task?.state ?? '');
    });
    call.on('error', () => undefined); // its status says the same
    call.once('status', ({ code }) => resolve({ code, isFinal, messages }));
  });
}

function listen(call: ClientReadableStream<Message>) {
  const listener = { call, events: 0, resets: 0 };
  call.on('data', ({ reset }: Message) => {
    if (reset) listener.resets += 1;
    else listener.events += 1;
  });
  call.on('error', () => undefined);
  return listener;
}

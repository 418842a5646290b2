// What every call has in common, one answer or many: its request is readable, its failure has details, it is counted, and
// what works for it knows when nobody waits for the answer any more.

import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  status,
} from '@grpc/grpc-js';
import { monotonicMs } from '../../runtime/clock.ts';
import type { FailureReport } from '../failure-report.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { InProgress } from '../in-progress.ts';
import { grpcStatusOf } from './grpc-error.ts';
import type { UnreadableMessage } from './grpc-protocol.ts';
import { readable } from './grpc-requests.ts';

export interface CallServices {
  /** Counts the calls that have one answer, for a shutdown to wait for. */
  readonly answering: InProgress;
  readonly metrics: GatewayMetrics;
  readonly failures: FailureReport;
}

type AnyCall = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>;

/** Answers one call; `signal` aborts when its deadline passes or its caller is gone. */
export type Answer<Message> = (message: Message, signal: AbortSignal) => Promise<object>;

export interface AnswerStream {
  /** Sends the headers, by which the caller knows that what happens from now on will be told. */
  open(): void;
  /** Resolves when the connection has taken the message, so that no more than one waits for a caller who does not read; or at the end. */
  send(message: object): Promise<void>;
}

/** Ends with OK when it returns, with its error when it throws. */
export type StreamedAnswer<Message> = (message: Message, signal: AbortSignal, stream: AnswerStream) => Promise<void>;

export function unary<Message extends object>(
  name: string,
  services: CallServices,
  answer: Answer<Message>,
): handleUnaryCall<Message | UnreadableMessage, object> {
  return (call, callback) => {
    const caller = new Caller(call);
    const observe = observation(name, services, call, caller.signal);
    services.answering.begin();
    const done = (code: status) => {
      caller.close();
      services.answering.end();
      observe(code);
    };
    const answered = async () => answer(readable(call.request), caller.signal);
    answered().then(
      (response) => {
        done(status.OK);
        callback(null, response);
      },
      (error: unknown) => {
        const failure = grpcStatusOf(services.failures(error));
        done(failure.code);
        callback(failure);
      },
    );
  };
}

export function serverStream<Message extends object>(
  name: string,
  services: CallServices,
  answer: StreamedAnswer<Message>,
): handleServerStreamingCall<Message | UnreadableMessage, object> {
  return (call) => {
    const caller = new Caller(call);
    const observe = observation(name, services, call, caller.signal);
    const done = (code: status) => {
      caller.close();
      observe(code);
    };
    const stream = { open: () => call.sendMetadata(new Metadata()), send: sender(call, caller.signal) };
    const streamed = async () => answer(readable(call.request), caller.signal, stream);
    streamed().then(
      () => {
        done(status.OK);
        call.end();
      },
      (error: unknown) => {
        const failure = grpcStatusOf(services.failures(error));
        done(failure.code);
        call.emit('error', failure);
      },
    );
  };
}

/** What is written after the end of a call is dropped by grpc-js, without a word: so its end is waited for as well. */
function sender(call: ServerWritableStream<unknown, object>, signal: AbortSignal): AnswerStream['send'] {
  return (message) =>
    new Promise((resolve) => {
      const done = () => {
        signal.removeEventListener('abort', done);
        resolve();
      };
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', done);
      call.write(message, done);
    });
}

/** Who waits for the answer. Close it. */
class Caller {
  readonly #controller = new AbortController();
  readonly #deadline: NodeJS.Timeout | undefined;

  constructor(call: AnyCall) {
    const gone = () => this.#controller.abort();
    call.once('cancelled', gone);
    if (call.cancelled) gone();
    // grpc-js ends a call at its deadline, but tells only once its bytes have gone, which a caller may never let happen.
    const leftMs = deadlineOf(call) - Date.now();
    this.#deadline = leftMs < timerMsMax ? setTimeout(gone, leftMs) : undefined;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  close(): void {
    clearTimeout(this.#deadline);
  }
}

/** Longer than this a timer cannot be. */
const timerMsMax = 2 ** 31 - 1;

/** Epoch milliseconds; Infinity without one. */
function deadlineOf(call: AnyCall): number {
  return Number(call.getDeadline());
}

function observation(
  name: string,
  { metrics }: CallServices,
  call: AnyCall,
  signal: AbortSignal,
): (code: status) => void {
  const startedAt = monotonicMs();
  return (code) => {
    const gone = deadlineOf(call) <= Date.now() ? status.DEADLINE_EXCEEDED : status.CANCELLED;
    metrics.observeGrpc(name, status[signal.aborted ? gone : code], (monotonicMs() - startedAt) / 1000);
  };
}

// What the main thread and a handler thread say to each other. An order and its reply go through piscina; everything in
// between goes through a MessagePort of the run's own.

import type { MessagePort } from 'node:worker_threads';
import type { Json } from '../../../domain/task.ts';
import type { RunFacts } from './handler.ts';
import type { FailureData } from './handler-failure.ts';

export interface ThreadOrder {
  readonly modulePath: string;
  readonly port: MessagePort;
  /** One number, shared by both threads: a {@link runStates}. */
  readonly state: Int32Array;
  /** Null: only load the module and see that it is a handler. */
  readonly run: ThreadRun | null;
}

export interface ThreadRun extends RunFacts {
  readonly payload: Json;
}

/**
 * Whoever is first to change it from `waiting` decides: the thread that is about to call the handler, or the main thread, which does not
 * want that any more.
 */
export const runStates = { waiting: 0, called: 1, revoked: 2 } as const;

/** `text` is the result as JSON, checked in the thread, so that a monstrous one costs only its own thread. */
export type ThreadReply =
  | { readonly kind: 'result'; readonly text: string }
  | { readonly kind: 'failure'; readonly failure: FailureData }
  /** The handler was not called. */
  | { readonly kind: 'revoked' };

export type FromThread =
  | { readonly kind: 'begun' }
  | { readonly kind: 'progress'; readonly percent: number; readonly message: string | null };

/** The abort of the run's signal; an Error does not keep its name on the way, hence its parts. */
export interface AbortMessage {
  readonly name: string;
  readonly message: string;
}

/** Not part of any run: something an earlier run left behind in its thread has failed. */
export interface LateErrorMessage {
  readonly lateErrorOf: string;
  readonly message: string;
  readonly stack: string;
}

// What the handlers of a chaos run do. A module of HANDLERS_DIR (evidence-modules.ts) loads this in a handler thread of a worker, so it
// imports little. Each handler leaves evidence of what it does and when, and results in what the system told it of its run.

import { setTimeout as delay } from 'node:timers/promises';
import { now } from '../moment.ts';
import { RunEvidence } from './run-evidence.ts';

/** What each type is told by its payload. */
export interface EvidencePayloads {
  /** Returns at once. */
  readonly quick: null;
  /** Takes so long, or until its signal aborts. */
  readonly long: { readonly ms: number; readonly progress?: boolean };
  /** Fails before the attempt `succeedsAt`; the rest goes on the error. */
  readonly flaky: { readonly succeedsAt: number; readonly retryable?: boolean; readonly retryAfterMs?: number };
  /** Takes so long whatever its signal says. */
  readonly deaf: { readonly ms: number };
  /** Keeps its thread busy for so long. */
  readonly blocking: { readonly ms: number };
  /** Ends its thread in each attempt before `succeedsAt`. */
  readonly crashing: { readonly how: 'exit' | 'throw'; readonly succeedsAt: number };
  /** Results in so many characters, which may be too many. */
  readonly big: { readonly characters: number };
}

export type EvidenceType = keyof EvidencePayloads;

/** What a handler is given (contract section 3). */
export interface HandlerContext {
  readonly taskId: string;
  readonly attempt: number;
  readonly fencingToken: string;
  readonly signal: AbortSignal;
  readonly progress: (percent: number, message: string) => void;
}

type Act<T extends EvidenceType> = (
  payload: EvidencePayloads[T],
  context: HandlerContext,
  evidence: RunEvidence,
) => Promise<object>;

const acts: { readonly [T in EvidenceType]: Act<T> } = {
  quick: async () => ({}),
  long: async ({ ms, progress }, context) => {
    if (progress) context.progress(50, 'at it');
    await delay(ms, undefined, { signal: context.signal });
    return {};
  },
  flaky: async ({ succeedsAt, ...wishes }, { attempt }) => {
    if (attempt < succeedsAt) throw Object.assign(new Error(`not before attempt ${succeedsAt}`), wishes);
    return {};
  },
  deaf: async ({ ms }) => {
    await delay(ms);
    return {};
  },
  blocking: async ({ ms }, _context, evidence) => {
    const until = now() + ms;
    while (now() < until) evidence.beat();
    return {};
  },
  crashing: async ({ how, succeedsAt }, { attempt }) => {
    if (attempt >= succeedsAt) return {};
    if (how === 'exit') process.exit(1);
    setImmediate(() => {
      throw new Error('thrown where nobody catches it');
    });
    return await new Promise(() => undefined);
  },
  big: async ({ characters }) => ({ filling: 'x'.repeat(characters) }),
};

/** The default export of a module for this type. */
export function evidenceHandler<T extends EvidenceType>(type: T, file: string) {
  return async (payload: EvidencePayloads[T], context: HandlerContext): Promise<object> => {
    const { taskId, attempt, fencingToken, signal } = context;
    const { pid } = process;
    const evidence = new RunEvidence(file, { task: taskId, attempt, token: fencingToken, pid });
    evidence.start();
    try {
      const more = await acts[type](payload, context, evidence);
      evidence.end('returned');
      return { token: fencingToken, attempt, pid, ...more };
    } catch (error) {
      evidence.end(signal.aborted ? 'aborted' : 'threw');
      throw error;
    }
  };
}

// Makes the calls: each at a gateway and over an interface that are drawn, each written into the record with its outcome when that is known.

import { setTimeout as delay } from 'node:timers/promises';
import { now } from '../moment.ts';
import type { Random } from '../random.ts';
import type { Call, CallOutcome, SeenTask } from '../record.ts';
import type { Face, StreamOptions } from './face.ts';
import type { KnownTasks } from './known-tasks.ts';
import { mayPass, outcomeOf, type Reply } from './outcome.ts';
import { onlyReads, type TrafficRequest } from './request.ts';
import { within } from './within.ts';

export interface Gateway {
  readonly id: string;
  readonly faces: readonly Face[];
}

export interface CallerOptions {
  readonly gateways: readonly Gateway[];
  readonly known: KnownTasks;
  readonly record: (call: Call) => void;
  /** No answer is wanted any more, to whatever was asked. */
  readonly over: AbortSignal;
  /** Nobody waits any more for what only reads. */
  readonly stopping: AbortSignal;
}

/** Most clients are patient, some are not: those leave calls of which they never hear. */
const patienceMs = { patient: 10_000, hasty: 1500 };
const watchMsMax = 30_000;
const resumePauseMs = 100;

export class Caller {
  constructor(private readonly options: CallerOptions) {}

  get over(): AbortSignal {
    return this.options.over;
  }

  get stopping(): AbortSignal {
    return this.options.stopping;
  }

  /** Between two calls of a client that leaves when the traffic stops. */
  async rest(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.stopping }).catch(() => undefined);
  }

  async call(request: TrafficRequest, random: Random): Promise<CallOutcome> {
    return (await this.ask(request, random)).outcome;
  }

  /** With the reply itself, which may say more. `signal` is whatever ends it, besides the end of everything. */
  async ask(
    request: TrafficRequest,
    random: Random,
    signal = onlyReads(request) ? this.stopping : this.over,
  ): Promise<{ readonly outcome: CallOutcome; readonly reply: Reply }> {
    const { gateway, face } = this.#draw(random);
    const timeoutMs = random.chance(0.9) ? patienceMs.patient : patienceMs.hasty;
    const isOtherWay = random.chance(0.5);
    const from = now();
    const reply = leftWhere(signal, await face.call(request, { timeoutMs, signal, isOtherWay }));
    const outcome = outcomeOf(request, reply);
    this.#record({ kind: 'call', face: face.name, gateway, from, to: now(), request, outcome }, request);
    return { outcome, reply };
  }

  /**
   * Follows the task to its end, over as many streams as that takes: where one breaks the next goes on, maybe at another gateway. One in three clients
   * leaves a stream by itself and comes back.
   */
  watch(id: string, random: Random): Promise<void> {
    return within(watchMsMax, this.stopping, (signal) => this.#watch(id, random, signal));
  }

  async #watch(id: string, random: Random, signal: AbortSignal): Promise<void> {
    const request = { operation: 'watch', id } as const;
    const from = now();
    let leavesAfter = random.chance(0.33) ? random.integer(1, 2) : Number.POSITIVE_INFINITY;
    let lastEventId: string | null = null;
    let shown: SeenTask[] = [];
    const onChange: StreamOptions['onChange'] = (change) => {
      lastEventId = change?.eventId ?? null;
      shown = change ? [...shown, change.task] : [];
      leavesAfter -= 1;
      return leavesAfter !== 0;
    };
    for (;;) {
      const { gateway, face } = this.#draw(random);
      const reply = leftWhere(signal, await face.watch(id, { signal, lastEventId, onChange }));
      if (mayPass(reply) && !signal.aborted) {
        await this.rest(resumePauseMs);
        continue;
      }
      const outcome = outcomeOf(request, reply.kind === 'answer' ? { ...reply, tasks: shown } : reply);
      this.#record({ kind: 'call', face: face.name, gateway, from, to: now(), request, outcome }, request);
      return;
    }
  }

  #draw(random: Random): { gateway: string; face: Face } {
    const { id, faces } = random.pick(this.options.gateways);
    return { gateway: id, face: random.pick(faces) };
  }

  #record(call: Call, request: TrafficRequest): void {
    this.options.known.take(request, call.outcome);
    this.options.record(call);
  }
}

/** It is the client that has gone, whatever its connection says. */
function leftWhere(signal: AbortSignal, reply: Reply): Reply {
  return reply.kind === 'none' && signal.aborted ? { ...reply, why: 'the client left' } : reply;
}

// Many clients at a system that is being broken: they submit, wait, watch, cancel, retry, delete and ask, over HTTP and gRPC at every
// gateway, and every call is recorded with what became of it. Clients come at a rate, whatever becomes of those before them, but no more than a
// bound are there at a time, and they come slower while submits are not done. What is remembered does not grow with the time (KnownTasks).

import { setMaxListeners } from 'node:events';
import { onCleanup, type TestScope } from '../../test/support/cleanup.ts';
import type { Random } from '../random.ts';
import type { Call } from '../record.ts';
import { Caller } from './caller.ts';
import { type DrainedTask, drain } from './drain.ts';
import { grpcFace } from './grpc-face.ts';
import { httpFace } from './http-face.ts';
import { KnownTasks } from './known-tasks.ts';
import { putSettings } from './settings.ts';
import { tellStory } from './story.ts';

export interface TrafficOptions {
  readonly gateways: readonly TrafficGateway[];
  readonly random: Random;
  readonly record: (call: Call) => void;
  /** The file that commands of the `shell` handler write their evidence to. */
  readonly evidence: string;
  /** Clients that come in a second while all is well. */
  readonly perSecond?: number;
}

export interface TrafficGateway {
  readonly id: string;
  readonly url: string;
  /** `host:port`. */
  readonly grpcAddress: string;
}

/** Begins at once. What it holds open is closed with the scope. */
export function startTraffic(scope: TestScope, options: TrafficOptions): Traffic {
  return new Traffic(scope, options);
}

const perSecondDefault = 40;
const storiesMax = 200;
const slownessMax = 16;
/** Whoever was to come earlier than that does not come any more. */
const behindMsMax = 500;

export class Traffic {
  readonly #known = new KnownTasks();
  readonly #over = new AbortController();
  readonly #stopping = new AbortController();
  readonly #caller: Caller;
  readonly #random: Random;
  readonly #evidence: string;
  readonly #stories = new Set<Promise<void>>();
  readonly #counts = { yes: 0, no: 0, unknown: 0 };
  readonly #ended: Promise<void>;
  /** How many times fewer come than would if all were well. */
  #slowness = 1;
  #failure: unknown = null;

  constructor(scope: TestScope, { gateways, random, record, evidence, perSecond = perSecondDefault }: TrafficOptions) {
    // Whatever is under way listens to them.
    setMaxListeners(0, this.#over.signal, this.#stopping.signal);
    this.#random = random;
    this.#evidence = evidence;
    this.#caller = new Caller({
      gateways: gateways.map(({ id, url, grpcAddress }) => ({
        id,
        faces: [httpFace(scope, url), grpcFace(scope, grpcAddress)],
      })),
      known: this.#known,
      record: (call) => {
        this.#take(call);
        record(call);
      },
      over: this.#over.signal,
      stopping: this.#stopping.signal,
    });
    onCleanup(scope, () => {
      this.#stopping.abort();
      this.#over.abort();
      return this.#ended;
    });
    this.#ended = this.#run(1000 / perSecond);
  }

  /** Of all calls so far, by outcome. */
  get counts(): Readonly<Record<'yes' | 'no' | 'unknown', number>> {
    return { ...this.#counts };
  }

  /**
   * Nobody comes any more. Resolves when everybody is gone: those who wait at once, those who do not know what became of a submit with a key
   * when they do, or after a minute.
   */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#ended;
    if (this.#failure) throw this.#failure;
  }

  /** To be called when it has stopped and nothing is broken any more: until every task is final. Returns those that are not by then. */
  drain(timeoutMs: number): Promise<readonly DrainedTask[]> {
    return drain(this.#caller, this.#known, this.#random.fork('drain'), timeoutMs);
  }

  async #run(meanMs: number): Promise<void> {
    const random = this.#random.fork('arrivals');
    this.#begin(putSettings(this.#caller, this.#random.fork('settings')));
    let at = performance.now();
    for (let n = 1; !this.#stopping.signal.aborted; n++) {
      const name = `story-${n}`;
      const parts = { name, random: this.#random.fork(name), evidence: this.#evidence };
      this.#begin(tellStory({ ...parts, caller: this.#caller, known: this.#known }));
      if (this.#stories.size >= storiesMax) await Promise.race(this.#stories);
      at = Math.max(at, performance.now() - behindMsMax) - Math.log(1 - random.next()) * meanMs * this.#slowness;
      await this.#caller.rest(at - performance.now());
    }
    await Promise.all(this.#stories);
  }

  #begin(story: Promise<void>): void {
    const told = story.catch((error) => {
      this.#failure ??= error;
      this.#stopping.abort();
    });
    this.#stories.add(told);
    void told.then(() => this.#stories.delete(told));
  }

  #take({ request, outcome }: Call): void {
    this.#counts[outcome.is] += 1;
    if (request.operation !== 'submit') return;
    this.#slowness =
      outcome.is === 'yes' ? Math.max(1, this.#slowness / 2) : Math.min(slownessMax, this.#slowness * 1.5);
  }
}

// Asks the leading master for what its index knows: over HTTP, at the address that `/master` says. A master that cannot be
// asked, or whose answer is none, is no leader to us for now. Nothing here retries for long: the caller is told soon, and
// what can be done without a master.

import { LeaderAddress } from '../../coordination/leader-address.ts';
import type { Session } from '../../coordination/session.ts';
import { ServiceError } from '../../domain/errors.ts';
import type { TaskExplanation } from '../../domain/explanation.ts';
import {
  type EventLine,
  formatPosition,
  type IndexedTasks,
  indexPaths,
  type ListPosition,
  type QueueView,
  type StatsView,
  type TaskFilter,
  type WorkerView,
} from '../../domain/master-index.ts';
import type { TaskId } from '../../domain/task.ts';
import { aborted } from '../../runtime/aborted.ts';
import type { KnownLeader, MasterIndex } from '../api/master-index.ts';
import { serverLimits } from '../server-limits.ts';
import { readLines, readText } from './bounded-body.ts';
import { get } from './http-get.ts';
import * as answers from './index-answers.ts';
import { Turns } from './turns.ts';

const retryAfterMs = 1000;

export interface MasterIndexClientOptions {
  /** From a request to the end of its answer, or to the first line of a stream. */
  readonly deadlineMs: number;
  /** Between two lines of a stream. */
  readonly silenceMs: number;
}

const defaultOptions = { deadlineMs: serverLimits.indexDeadlineMs, silenceMs: serverLimits.indexSilenceMs };

export class MasterIndexClient implements MasterIndex {
  readonly #options: MasterIndexClientOptions;
  readonly #turns: Turns;
  #leader: LeaderAddress | null = null;
  /** When it was found that nobody leads, epoch ms; kept over sessions, for as long as none of them finds a leader. */
  #nobodySince: number | null = null;
  /** Whoever did not answer there last, and since when that is so, epoch ms. */
  #silent: { readonly address: string; readonly since: number } | null = null;
  /** Streams of events end when another master leads. */
  readonly #onLeaderChange = new Set<() => void>();

  constructor(options: MasterIndexClientOptions = defaultOptions) {
    this.#options = options;
    const tooLate = () => noLeader('it is too slow for all that is asked of it');
    this.#turns = new Turns(serverLimits.indexRequestsAtOnce, options.deadlineMs, tooLate);
  }

  /** Knows the leader by `session` until that is lost or `stop` aborts. */
  async serve(session: Session, stop: AbortSignal): Promise<void> {
    const leader = new LeaderAddress(session, () => this.#onChange());
    const ended = AbortSignal.any([stop, session.signal]);
    const over = aborted(ended);
    try {
      await Promise.race([leader.start(), over]);
      this.#leader = leader;
      this.#onChange();
      await over;
    } finally {
      this.#leader = null;
      this.#onChange();
    }
  }

  tasks(filter: TaskFilter, limit: number, after: ListPosition | null): Promise<IndexedTasks> {
    const query = new URLSearchParams({ limit: String(limit) });
    if (after) query.set('after', formatPosition(after));
    for (const name of ['state', 'type', 'queue', 'worker', 'schedule'] as const) {
      const wanted = filter[name];
      if (wanted !== null) query.set(name, wanted);
    }
    for (const [key, value] of filter.labels) query.append('label', `${key}:${value}`);
    return this.#ask(`${indexPaths.tasks}?${query}`, answers.readIndexedTasks);
  }

  workers(): Promise<readonly WorkerView[]> {
    return this.#ask(indexPaths.workers, answers.readWorkers);
  }

  queues(): Promise<readonly QueueView[]> {
    return this.#ask(indexPaths.queues, answers.readQueues);
  }

  stats(): Promise<StatsView> {
    return this.#ask(indexPaths.stats, answers.readStats);
  }

  explain(id: TaskId): Promise<TaskExplanation> {
    return this.#ask(`${indexPaths.explain}?${new URLSearchParams({ task: id })}`, answers.readExplanation);
  }

  leader(): KnownLeader {
    if (!this.#leader) return { kind: 'unknown' };
    const { leader } = this.#leader;
    if (leader.kind === 'nobody') return { kind: 'nobody', since: this.#nobodySince ?? Date.now() };
    if (leader.kind === 'stranger') return leader;
    const silentSince = this.#silent?.address === leader.address ? this.#silent.since : null;
    return { ...leader, silentSince };
  }

  async *events(after: string | null, signal: AbortSignal): AsyncGenerator<EventLine, void> {
    const address = this.#requireAddress();
    const stop = new AbortController();
    const end = () => stop.abort();
    signal.addEventListener('abort', end);
    this.#onLeaderChange.add(end);
    if (signal.aborted) end();
    const query = after === null ? '' : `?${new URLSearchParams({ after })}`;
    // Counts while we wait for the master, not while whoever reads us takes its time.
    let silence = setTimeout(end, this.#options.deadlineMs);
    try {
      const response = await get(`http://${address}${indexPaths.events}${query}`, stop.signal);
      let started = false;
      for await (const line of readLines(response, serverLimits.indexLineBytesMax)) {
        clearTimeout(silence);
        const read = answers.readEventLine(JSON.parse(line));
        if (!read || started === (read.kind === 'start')) throw new Error(`a line that cannot be understood: ${line}`);
        started = true;
        this.#noteAnswer(address);
        yield read;
        silence = setTimeout(end, this.#options.silenceMs);
      }
      throw new Error('the stream has ended');
    } catch (error) {
      if (!signal.aborted) throw this.#unreachable(address, error);
    } finally {
      clearTimeout(silence);
      signal.removeEventListener('abort', end);
      this.#onLeaderChange.delete(end);
      end();
    }
  }

  #ask<T>(path: string, read: answers.AnswerReader<T>): Promise<T> {
    return this.#turns.take(() => this.#askLeader(path, read));
  }

  /** A second try, at once, where another master leads by now. */
  async #askLeader<T>(path: string, read: answers.AnswerReader<T>): Promise<T> {
    const address = this.#requireAddress();
    try {
      return await this.#get(address, path, read);
    } catch (error) {
      const next = this.#leader?.address ?? null;
      if (next === null || next === address) throw this.#unreachable(address, error);
      return await this.#get(next, path, read).catch((failure: unknown) => {
        throw this.#unreachable(next, failure);
      });
    }
  }

  async #get<T>(address: string, path: string, read: answers.AnswerReader<T>): Promise<T> {
    const body = await get(`http://${address}${path}`, AbortSignal.timeout(this.#options.deadlineMs));
    const answer = read(JSON.parse(await readText(body, serverLimits.indexAnswerBytesMax)));
    if (answer === null) throw new NotUnderstood();
    this.#noteAnswer(address);
    return answer;
  }

  #noteAnswer(address: string): void {
    if (this.#silent?.address === address) this.#silent = null;
  }

  #unreachable(address: string, cause: unknown): ServiceError {
    if (this.#silent?.address !== address && this.#leader?.address === address) {
      this.#silent = { address, since: Date.now() };
    }
    const other = 'answers what this gateway does not understand, so it may be of another version,';
    return noLeader(`it ${cause instanceof NotUnderstood ? other : 'does not answer'} at ${address}`, cause);
  }

  #requireAddress(): string {
    if (this.#leader === null) throw noLeader('this gateway has no ZooKeeper session at the moment');
    const { address } = this.#leader;
    if (address === null) throw noLeader('no master leads at the moment');
    return address;
  }

  #onChange(): void {
    const known = this.#leader?.leader.kind;
    if (known === 'nobody') this.#nobodySince ??= Date.now();
    else if (known !== undefined) this.#nobodySince = null;
    for (const tell of [...this.#onLeaderChange]) tell();
  }
}

/** JSON, and none that we know. */
class NotUnderstood extends Error {}

function noLeader(why: string, cause?: unknown): ServiceError {
  const message = `Lists, counts and events come from the leading master: ${why}. Try again soon; submits and single tasks work all the same.`;
  return new ServiceError('no-leader', message, { cause, retryAfterMs });
}

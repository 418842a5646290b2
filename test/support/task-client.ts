// A client of the HTTP API as tests need it: submits, asks, waits, and tells a refusal from an unknown outcome.

import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';

/** The Task resource as JSON (contract section 3), as far as tests look at it. */
export interface Task {
  readonly id: string;
  readonly type: string | null;
  readonly queue: string | null;
  readonly state: 'scheduled' | 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  readonly payload: unknown;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly worker: string | null;
  readonly progress: { readonly percent: number; readonly message: string | null } | null;
  readonly submittedAt: string;
  readonly runAt: string | null;
  readonly nextAttemptAt: string | null;
  readonly deadlineAt: string | null;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly result: unknown;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly attempts: readonly {
    readonly attempt: number;
    readonly worker: string | null;
    readonly outcome: string;
    readonly error: { readonly code: string; readonly message: string } | null;
    readonly startedAt: string | null;
    readonly finishedAt: string;
  }[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Task & { readonly type: string };
}

/** `no`: certainly not made. `unknown`: the answer said so, or there was none. */
export type SubmitOutcome = { readonly kind: 'yes'; readonly id: string } | { readonly kind: 'no' | 'unknown' };

const finalStates = ['succeeded', 'failed', 'cancelled'];

export class TaskClient {
  constructor(readonly url: string) {}

  async request(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const json = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: { ...json, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(90_000),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
  }

  /** Until `/readyz` is 200. */
  ready(timeoutMs = 15_000): Promise<boolean> {
    const look = async () => (await this.request('GET', '/readyz')).status === 200;
    return eventually(`${this.url}/readyz is 200`, look, timeoutMs);
  }

  /** Must be acknowledged. */
  async submit(spec: unknown, headers: Record<string, string> = {}): Promise<Task> {
    const { status, body } = await this.request('POST', '/tasks', spec, headers);
    assert.equal(status, 201, JSON.stringify(body));
    return body;
  }

  /** For submits into a system that is being broken. */
  async trySubmit(spec: unknown): Promise<SubmitOutcome> {
    try {
      const { status, body } = await this.request('POST', '/tasks', spec);
      if (status === 201) return { kind: 'yes', id: body.id };
      return { kind: body.type.endsWith('/outcome-unknown') ? 'unknown' : 'no' };
    } catch {
      return { kind: 'unknown' }; // the connection broke before the answer
    }
  }

  async get(id: string): Promise<Task> {
    const { status, body } = await this.request('GET', `/tasks/${id}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  }

  /** Held by the gateway until the task is final; asked again where it was not (a refusal, or the time was up). */
  async wait(id: string, timeoutMs = 30_000): Promise<Task> {
    const deadline = performance.now() + timeoutMs;
    const look = async () => {
      const leftMs = Math.max(1, Math.ceil(deadline - performance.now()));
      const { status, body } = await this.request('GET', `/tasks/${id}?wait=${leftMs}ms`);
      return status === 200 && finalStates.includes(body.state) && body;
    };
    return await eventually(`${id} is final`, look, timeoutMs);
  }

  until(id: string, what: string, fits: (task: Task) => boolean, timeoutMs = 15_000): Promise<Task> {
    const look = async () => {
      const task = await this.get(id);
      return fits(task) && task;
    };
    return eventually(`${id} ${what}`, look, timeoutMs);
  }

  untilRunning(id: string): Promise<Task> {
    return this.until(id, 'is running', ({ state }) => state === 'running');
  }

  async run(spec: unknown, timeoutMs?: number): Promise<Task> {
    const { id } = await this.submit(spec);
    return await this.wait(id, timeoutMs);
  }
}

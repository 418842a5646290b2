// Traffic that runs while a test breaks something, a record of what became of each submit, and the judgement of that record
// against the tree: what was acknowledged ends once, what was refused was not made, nothing was made twice.

import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { decodeTask } from '../../coordination/task-record.ts';
import { decodeStatus } from '../../coordination/znode-records.ts';
import { Changes } from './changes.ts';
import { onCleanup, type TestScope } from './cleanup.ts';
import { eventually } from './eventually.ts';
import type { TestSession } from './stack-session.ts';
import type { SubmitOutcome, TaskClient } from './task-client.ts';

export interface Submit {
  /** Label of the task, to find it by. */
  readonly marker: string;
  readonly outcome: SubmitOutcome;
}

export interface LoadOptions {
  /** Submits under way at the same time, for each client. */
  readonly lanes?: number;
  /** Of each task, without labels. Default an echo of a few bytes. */
  readonly spec?: object;
}

export class Load {
  readonly submits: Submit[] = [];
  readonly #spec: object;
  readonly #changes = new Changes();
  readonly #lanes: Promise<void>[];
  #started = 0;
  #stopped = false;

  /** Begins at once, and ends with the scope, also where the test has failed before. */
  constructor(
    scope: TestScope,
    clients: readonly TaskClient[],
    { lanes = 3, spec = { type: 'echo', payload: 'load' } }: LoadOptions = {},
  ) {
    this.#spec = spec;
    this.#lanes = clients.flatMap((client) => Array.from({ length: lanes }, () => this.#lane(client)));
    onCleanup(scope, () => this.stop());
  }

  get acknowledged(): string[] {
    return this.submits.flatMap(({ outcome }) => (outcome.kind === 'yes' ? [outcome.id] : []));
  }

  count(kind: SubmitOutcome['kind']): number {
    return this.submits.filter(({ outcome }) => outcome.kind === kind).length;
  }

  /** Resolves once so many more have been acknowledged than were when it was called. */
  async more(count: number, timeoutMs = 30_000): Promise<void> {
    const wanted = this.acknowledged.length + count;
    await this.#changes.until(
      () => (this.acknowledged.length >= wanted ? true : null),
      timeoutMs,
      (expired) => (expired ? new Error(`only ${this.acknowledged.length} of ${wanted} were acknowledged`) : null),
    );
  }

  /** Resolves when the last has its answer. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#lanes);
  }

  async #lane(client: TaskClient): Promise<void> {
    while (!this.#stopped) {
      this.#started += 1;
      const marker = String(this.#started);
      const outcome = await client.trySubmit({ ...this.#spec, labels: { marker } });
      this.submits.push({ marker, outcome });
      this.#changes.announce();
      if (outcome.kind !== 'yes') await delay(20); // a refusal is quick, and says when to come again
    }
  }
}

interface Stored {
  readonly id: string;
  readonly marker: string;
  /** What is wrong with it by itself. */
  readonly fault: string | null;
}

/** Waits until nothing is unfinished, then holds the record of the load against the tree. Returns a line to print. */
export async function judge(session: TestSession, load: Load, timeoutMs = 30_000): Promise<string> {
  const isBusy = async () => (await assignments(session)) > 0 || (await unfinished(session)) !== null;
  await eventually('every task is final and no assignment is left', async () => !(await isBusy()), timeoutMs);
  const stored = await readAll(session);
  const faults = stored.flatMap(({ id, fault }) => (fault ? [`${id}: ${fault}`] : []));
  for (const { marker, outcome } of load.submits) {
    const made = stored.filter((task) => task.marker === marker).map(({ id }) => id);
    if (outcome.kind === 'yes' && (made.length !== 1 || made[0] !== outcome.id)) {
      faults.push(`submit ${marker}: acknowledged as ${outcome.id}, the tree has [${made}]`);
    }
    if (outcome.kind === 'no' && made.length > 0) faults.push(`submit ${marker}: refused, the tree has [${made}]`);
    if (outcome.kind === 'unknown' && made.length > 1) faults.push(`submit ${marker}: unknown, the tree has [${made}]`);
  }
  assert.deepEqual(faults, []);
  return `${load.count('yes')} acknowledged, ${load.count('no')} refused, ${load.count('unknown')} unknown: all as they should be`;
}

/** The oldest task that is not final: looking for no more leaves the server to those who are being tested. */
async function unfinished(session: TestSession): Promise<string | null> {
  const listed = await session.getChildren('/tasks');
  for (const id of (listed?.children ?? []).sort()) {
    if (!(await session.exists(`/tasks/${id}/status`))) return id;
  }
  return null;
}

async function readAll(session: TestSession): Promise<Stored[]> {
  const listed = await session.getChildren('/tasks');
  return await Promise.all((listed?.children ?? []).map((id) => readOne(session, id)));
}

async function readOne(session: TestSession, id: string): Promise<Stored> {
  const path = `/tasks/${id}`;
  const [task, status] = await Promise.all([session.getData(path), session.getData(`${path}/status`)]);
  const reading = task && decodeTask(task.data, task.stat.ctime);
  const marker = (reading?.kind === 'task' && reading.record.labels['marker']) || '';
  if (!task || !status) return { id, marker, fault: 'it was final and is not any more' };
  // A parent's cversion is twice its creations less its children (contract section 1: nothing below a task is removed
  // alone), so this is how often something was created below the task in all its life.
  const { cversion, numChildren } = (await session.exists(path)) ?? task.stat;
  const isChanged = (cversion + numChildren) / 2 !== numChildren || status.stat.version !== 0;
  const { state } = decodeStatus(status.data, status.stat.ctime);
  const fault = isChanged
    ? 'its status was created or set more than once'
    : state === 'succeeded'
      ? null
      : `it ${state}`;
  return { id, marker, fault };
}

async function assignments(session: TestSession): Promise<number> {
  const workers = await session.getChildren('/assign');
  const lists = await Promise.all((workers?.children ?? []).map((worker) => session.getChildren(`/assign/${worker}`)));
  return lists.reduce((sum, list) => sum + (list?.children.length ?? 0), 0);
}

// A tree in memory with a master's picture of it that lags behind: commits take their time, data is read after the events, and
// a standby that read everything takes over at any moment. It says what the rules of order ask for, in its own words.

import { planAssignments } from '../../../domain/plan.ts';
import { planSettlement } from '../../../domain/settle.ts';
import type { AfterFailure, FinalState, TaskId } from '../../../domain/task.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { addWorker, assignmentFact, status, taskFact, taskId, workerId } from './facts.ts';

export interface WorldTask {
  readonly number: number;
  readonly key: string | null;
  readonly after: readonly number[];
  readonly afterFailure: AfterFailure;
  readonly retryOf: number | null;
  status: FinalState | null;
  /** The present master has read it. */
  isTold: boolean;
  isUnblocked: boolean;
  isAssigned: boolean;
  /** At some time it waited for a retry, and stood in no line. */
  hasSteppedAside: boolean;
}

const worker = workerId('w');

export class World {
  readonly tasks = new Map<number, WorldTask>();
  readonly started: WorldTask[] = [];
  /** What tasks that are gone ran again, as long as a master leads that has read them. */
  readonly #gone = new Map<number, number | null>();
  /** What a decision did against the rules. */
  readonly faults: string[] = [];
  #index = new TaskIndex();
  #reads: (() => void)[] = [];
  #commits: (() => void)[] = [];
  #next = 0;

  constructor() {
    this.#register();
  }

  get unfinished(): WorldTask[] {
    return [...this.tasks.values()].filter((task) => task.status === null);
  }

  get running(): WorldTask[] {
    return this.unfinished.filter((task) => task.isAssigned);
  }

  submit(task: Pick<WorldTask, 'key' | 'after' | 'afterFailure' | 'retryOf'>): void {
    const number = this.#next;
    this.#next += 1;
    const fresh = { status: null, isTold: false, isUnblocked: false, isAssigned: false, hasSteppedAside: false };
    const made = { number, ...task, ...fresh };
    this.tasks.set(number, made);
    const index = this.#index;
    index.setTask(taskId(number), 'unread');
    this.#read(made, () => this.#tellTask(index, made));
  }

  /** The run is over: the status comes first, then its assignment goes. */
  end(task: WorldTask, state: FinalState): void {
    const id = taskId(task.number);
    const index = this.#index;
    task.status = state;
    task.isAssigned = false;
    index.setStatus(id, 'unread');
    this.#read(task, () => index.setStatus(id, status({ state })));
    index.setAssignment(worker, id, null);
  }

  remove({ number, retryOf, isTold }: WorldTask): void {
    this.tasks.delete(number);
    if (isTold) this.#gone.set(number, retryOf);
    this.#index.setStatus(taskId(number), null);
    this.#index.removeTask(taskId(number));
  }

  /** What arrives next: false where nothing does. */
  readOne(): boolean {
    const read = this.#reads.shift();
    read?.();
    return read !== undefined;
  }

  commitOne(): boolean {
    const commit = this.#commits.shift();
    commit?.();
    return commit !== undefined;
  }

  /** Commits that were under way are lost with whoever decided them. */
  failOver(shuffled: <T>(things: readonly T[]) => T[]): void {
    const index = new TaskIndex();
    this.#index = index;
    this.#reads = [];
    this.#commits = [];
    this.#gone.clear();
    this.#register();
    const facts = [...this.tasks.values()].flatMap((task) => {
      const { number, status: state, isUnblocked, isAssigned } = task;
      return [
        () => this.#tellTask(index, task),
        () => state && index.setStatus(taskId(number), status({ state })),
        () => isUnblocked && index.setUnblocked(taskId(number), 1),
        () => isAssigned && index.setAssignment(worker, taskId(number), assignmentFact()),
      ];
    });
    for (const tell of shuffled(facts)) tell();
  }

  /** One round of the leading master. */
  decide(): void {
    const index = this.#index;
    for (const task of this.unfinished) task.hasSteppedAside ||= this.stepsAside(task);
    for (const id of index.unsettled) {
      const entry = index.tasks.get(id);
      const task = entry && this.tasks.get(Number(id.slice(5)));
      const decision = entry && planSettlement(index, entry, 0, 0);
      if (!task || !decision) continue;
      const fate = this.fateOf(task);
      const isRight = decision.kind === 'unblock' ? fate === 'goes' : decision.kind === 'end' && fate === 'fails';
      if (!isRight) this.faults.push(`${id}: ${decision.kind}, and it ${fate}`);
      this.#commits.push(() => {
        if (decision.kind === 'end') this.end(task, 'failed');
        else this.#unblock(task);
        index.settle(entry, null);
      });
    }
    for (const { entry, task: id } of planAssignments(index, 100)) {
      this.#commits.push(() => {
        this.#assign(id);
        index.settle(entry, worker);
      });
    }
  }

  /** What the tasks before it say. */
  fateOf(task: WorldTask): 'goes' | 'waits' | 'fails' {
    const standings = task.after.map((number) => {
      const before = this.tasks.get(number);
      if (before && before.status === null) return 'waits';
      if (before?.status === 'succeeded' || task.afterFailure === 'run') return 'goes';
      if (task.afterFailure === 'fail') return 'fails';
      const retries = this.retriesOf(number);
      if (retries.some((retry) => retry.status === 'succeeded')) return 'goes';
      return before || retries.length > 0 ? 'waits' : 'fails';
    });
    if (standings.includes('fails')) return 'fails';
    return standings.includes('waits') ? 'waits' : 'goes';
  }

  /** It waits for a task that may be still to come, or comes after one that does. */
  stepsAside(task: WorldTask): boolean {
    if (task.isUnblocked || task.status !== null || this.fateOf(task) !== 'waits') return false;
    return task.after.some((number) => {
      const before = this.tasks.get(number);
      if (before?.status === null) return this.stepsAside(before);
      const isDone = before?.status === 'succeeded' || this.retriesOf(number).some(isSuccess);
      return !isDone && task.afterFailure === 'wait';
    });
  }

  /** Those that are kept of what runs it again, however often. */
  retriesOf(number: number): WorldTask[] {
    const kept = [...this.tasks.values()].filter(({ retryOf }) => retryOf === number);
    const gone = [...this.#gone].filter(([, retryOf]) => retryOf === number);
    return [
      ...kept.flatMap((retry) => [retry, ...this.retriesOf(retry.number)]),
      ...gone.flatMap(([retry]) => this.retriesOf(retry)),
    ];
  }

  /** Final ones that were run again and run another one again. */
  get middles(): WorldTask[] {
    const final = [...this.tasks.values()].filter(({ status, isAssigned }) => status !== null && !isAssigned);
    return final.filter(({ number, retryOf }) => retryOf !== null && this.retriesOf(number).length > 0);
  }

  #register(): void {
    addWorker(this.#index, 'w', { concurrency: 3 });
  }

  /** What is gone when it is read says nothing. */
  #read(task: WorldTask, tell: () => void): void {
    this.#reads.push(() => this.tasks.has(task.number) && tell());
  }

  #tellTask(index: TaskIndex, task: WorldTask): void {
    const { number, key, after, afterFailure, retryOf } = task;
    task.isTold = true;
    const links = { after: after.map(taskId), afterFailure, retryOf: retryOf === null ? null : taskId(retryOf) };
    const priority = (number * 7) % 3;
    index.setTask(taskId(number), taskFact(number, { exclusiveKey: key, priority, ...links }));
  }

  #unblock(task: WorldTask): void {
    const index = this.#index;
    task.isUnblocked = true;
    index.setUnblocked(taskId(task.number), 'unread');
    this.#read(task, () => index.setUnblocked(taskId(task.number), 1));
  }

  #assign(id: TaskId): void {
    const task = this.tasks.get(Number(id.slice(5)));
    if (!task) return;
    const index = this.#index;
    for (const other of task.key === null ? [] : this.unfinished) {
      if (other.key !== task.key || other === task) continue;
      if (other.isAssigned) this.faults.push(`${id} runs together with ${other.number}`);
      if (other.number < task.number && !other.hasSteppedAside) this.faults.push(`${id} goes before ${other.number}`);
    }
    if (task.after.length > 0 && !task.isUnblocked) this.faults.push(`${id} was not let go`);
    task.isAssigned = true;
    this.started.push(task);
    index.setAssignment(worker, id, 'unread');
    this.#read(task, () => {
      if (task.isAssigned) index.setAssignment(worker, id, assignmentFact());
    });
  }
}

function isSuccess({ status: state }: WorldTask): boolean {
  return state === 'succeeded';
}

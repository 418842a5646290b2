// A legal run drawn at random: tasks of all kinds come, are run on workers that are killed, frozen and stopped, fail and are run again, are cancelled
// and deleted, while answers are lost and repeated. It is the smallest scheduler that keeps the promises. For tests of the judge.

import type { TaskId } from '../../../domain/task.ts';
import { MadeUpRun, submitOf, unknown } from './made-up-run.ts';
import type { Assigned, Spec } from './made-up-tasks.ts';

/** A number below the given one. */
export type Draw = (below: number) => number;

const workers = ['worker1', 'worker2', 'worker3', 'worker4'] as const;
const backoff = { type: 'fixed', delayMs: 100, maxDelayMs: null, jitter: false } as const;

interface Waiting {
  readonly id: TaskId;
  readonly priority: number;
  readonly key: string | null;
  dueAt: number;
}

export class RandomRun {
  readonly run = new MadeUpRun();
  /** In the order in which they are to be run. */
  #waiting: Waiting[] = [];
  readonly #running = new Map<string, { assigned: Assigned; task: Waiting }>();
  /** Runs of frozen workers, which go on when those thaw. */
  readonly #frozen = new Map<string, { assigned: Assigned; thawsAt: number }>();
  readonly #ended: { id: TaskId; isFailed: boolean }[] = [];
  #markers = 0;

  constructor(private readonly draw: Draw) {}

  /** So many steps, and then all comes to its end. */
  live(steps: number): MadeUpRun {
    for (let i = 0; i < steps; i += 1) this.#step(this.draw(20));
    while (this.#waiting.length + this.#running.size + this.#frozen.size > 0) this.#step(10 + this.draw(5));
    return this.run;
  }

  #step(chance: number): void {
    this.run.pass(1 + this.draw(20));
    this.#thaw();
    if (chance < 7) this.#submit();
    else if (chance < 13) this.#assign();
    else if (chance < 17) this.#end();
    else if (chance === 17) this.#loseWorker();
    else if (chance === 18) this.#askOfEnded();
    else this.#cancel();
  }

  #submit(): void {
    this.#markers += 1;
    const options = { maxAttempts: 1 + this.draw(3), backoff };
    const key = [null, null, 'k', 'l'][this.draw(4)] ?? null;
    const spec: Spec = {
      ...{ marker: `r${this.#markers}`, type: 'long', priority: this.draw(3) - 1, ...options },
      ...(key !== null && { exclusiveKey: key }),
    };
    const answer = this.draw(4) === 0 ? 'unknown' : 'yes';
    const idempotencyKey = this.draw(2) === 0 ? `key of ${spec.marker}` : null;
    const [id] = this.run.submit([spec], { answer, ...(idempotencyKey !== null && { key: idempotencyKey }) });
    if (idempotencyKey !== null && this.draw(2) === 0) {
      this.run.call(submitOf([spec], idempotencyKey), this.run.repeated(id as TaskId), { gateway: 'gateway2' });
    }
    this.#waiting.push({ id: id as TaskId, priority: spec.priority ?? 0, key, dueAt: 0 });
  }

  /** To a free worker: the best that is due and whose key is free. */
  #assign(): void {
    const worker = workers.find((each) => !this.#running.has(each) && !this.#frozen.has(each));
    const held = [...this.#running.values()].map(({ task }) => task.key);
    const isFirst = (task: Waiting) => task.key === null || this.#firstOf(task.key) === task;
    const ready = this.#waiting.filter((task) => task.dueAt <= this.run.at && isFirst(task));
    const [best] = ready.filter(({ key }) => key === null || !held.includes(key)).sort(byRank);
    if (!worker || !best) return;
    this.#waiting = this.#waiting.filter((task) => task !== best);
    const assigned = this.run.assign(best.id, worker);
    this.run.pass(2);
    this.run.line(assigned, 'start');
    this.run.beats(assigned, 25 * this.draw(3));
    this.#running.set(worker, { assigned, task: best });
  }

  #firstOf(key: string): Waiting | undefined {
    return this.#waiting.filter((task) => task.key === key).sort((a, b) => (a.id < b.id ? -1 : 1))[0];
  }

  #end(): void {
    const [running] = this.#take();
    if (!running) return;
    const { assigned } = running;
    if (this.draw(3) > 0) this.run.returns(assigned);
    else this.run.throws(assigned);
    this.#goOn(running, 100);
    this.run.see(assigned.id);
  }

  /** One of those that run, taken out. */
  #take(): { assigned: Assigned; task: Waiting }[] {
    const all = [...this.#running.values()];
    const one = all[this.draw(Math.max(1, all.length))];
    if (!one) return [];
    this.#running.delete(one.assigned.worker);
    return [one];
  }

  /** It has ended, or another attempt follows. */
  #goOn({ task }: { task: Waiting }, pauseMs: number): void {
    const { state } = this.run.seen(task.id);
    if (state === 'succeeded' || state === 'failed' || state === 'cancelled') {
      this.#ended.push({ id: task.id, isFailed: state !== 'succeeded' });
    } else this.#waiting.push({ ...task, dueAt: this.run.at + pauseMs });
  }

  #loseWorker(): void {
    const [running] = this.#take();
    if (!running) return;
    const { assigned } = running;
    const how = this.draw(3);
    if (how === 0) this.run.kill(assigned.worker, 50);
    if (how === 1) {
      const thawsAt = this.run.at + 9000;
      this.run.fault('freeze', [assigned.worker], this.run.at, thawsAt);
      this.#frozen.set(assigned.worker, { assigned, thawsAt });
    }
    if (how === 2) {
      this.run.line(assigned, 'end', 'aborted');
      this.run.handBack(assigned);
      this.run.kill(assigned.worker, 50, 'stop');
      this.run.pass(50);
      this.#goOn(running, 0);
      return;
    }
    this.run.pass(6000);
    this.run.lose(assigned);
    this.#goOn(running, 0);
  }

  #thaw(): void {
    for (const [worker, { assigned, thawsAt }] of this.#frozen) {
      if (this.run.at < thawsAt) continue;
      if (this.run.at < thawsAt + 500) this.run.line(assigned, 'beat');
      this.#frozen.delete(worker);
    }
  }

  #askOfEnded(): void {
    const { id = null, isFailed = false } = this.#ended.splice(this.draw(Math.max(1, this.#ended.length)), 1)[0] ?? {};
    if (id === null) return;
    if (!isFailed) {
      this.run.delete(id);
      this.run.call({ operation: 'delete', id }, this.draw(2) === 0 ? unknown : { is: 'yes', tasks: [] });
      return;
    }
    const { labels, exclusiveKey, priority } = this.run.recordOf(id);
    const marker = labels['marker'] ?? '';
    const spec = {
      marker,
      type: 'long',
      retryOf: id,
      priority,
      backoff,
      ...(exclusiveKey !== null && { exclusiveKey }),
    };
    const [again] = this.run.make([spec]);
    this.run.call({ operation: 'retry', id, key: null }, this.draw(2) === 0 ? unknown : this.run.yes(again as TaskId));
    this.#waiting.push({ id: again as TaskId, priority, key: exclusiveKey, dueAt: 0 });
  }

  #cancel(): void {
    const task = this.#waiting.splice(this.draw(Math.max(1, this.#waiting.length)), 1)[0];
    if (!task) return;
    this.run.requestCancel(task.id);
    this.run.call({ operation: 'cancel', id: task.id }, this.run.done(task.id));
    this.run.endWaiting(task.id, { kind: 'cancelled', reason: 'no use' });
    this.#goOn({ task }, 0);
  }
}

function byRank(a: Waiting, b: Waiting): number {
  return b.priority - a.priority || (a.id < b.id ? -1 : 1);
}

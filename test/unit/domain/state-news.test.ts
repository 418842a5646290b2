// Goal: whatever a master learns late or not at all, what it announces of a task is a life that a task can have, in order and
// up to the present. Method: lives by chance of one task in a model of the tree, where each change is an event at once and
// a read that is answered some time later with what is there then; and a few lives by example.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TaskEvent } from '../../../domain/master-index.ts';
import type { TaskState } from '../../../domain/task.ts';
import type { AssignmentFact, AttemptBrief, StatusBrief, TaskFact } from '../../../domain/task-entry.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { assignmentFact, attempt, status, taskFact, taskId, workerId } from './facts.ts';

const task = taskId(1);

const followers: Record<TaskState | 'none', readonly TaskState[]> = {
  none: ['scheduled', 'queued'],
  scheduled: ['queued', 'cancelled'],
  queued: ['running', 'cancelled'],
  running: ['scheduled', 'queued', 'succeeded', 'failed', 'cancelled'],
  succeeded: [],
  failed: [],
  cancelled: [],
};

type Kind = 'task' | 'status' | `attempt ${number}` | `assignment ${string}`;
type Data = TaskFact | StatusBrief | AttemptBrief | AssignmentFact;

/** One task in the tree, and an index that learns of it as a mirror does: by events at once, by reads later. */
class Life {
  readonly index = new TaskIndex();
  readonly events: TaskEvent[] = [];
  now = 1000;
  readonly #tree = new Map<Kind, Data>();
  readonly #reads = new Set<Kind>();
  #attempt = 0;
  #startedAt = 0;
  #worker = '';

  constructor() {
    this.index.advance(this.now);
    this.index.states.onEvent = (event) => this.events.push(event);
    this.index.states.goLive();
  }

  get state(): TaskState {
    const end = this.#tree.get('status') as StatusBrief | undefined;
    if (end) return end.state;
    if (this.#worker !== '') return 'running';
    return this.#due > this.now ? 'scheduled' : 'queued';
  }

  get reads(): number {
    return this.#reads.size;
  }

  create(delay: number): void {
    const runAt = delay === 0 ? null : this.now + delay;
    this.#put('task', taskFact(1, { runAt }, { createdAt: this.now }));
  }

  /** What the task can do next, chosen by a number. */
  live(choice: number): void {
    const moves: Partial<Record<TaskState, (() => void)[]>> = {
      scheduled: [() => this.pass(10), () => this.pass(1000), () => this.#end('cancelled', null)],
      queued: [() => this.#assign('v'), () => this.#assign('w'), () => this.#end('cancelled', null)],
      running: [
        () => this.#end('succeeded', this.now - 1),
        () => this.#end('failed', this.now - 1),
        () => this.#end('cancelled', this.#startedAt),
        () => this.#fail(0),
        () => this.#fail(10),
        () => this.#unassign(),
        () => this.pass(7),
      ],
    };
    const open = moves[this.state] ?? [];
    open[choice % open.length]?.();
  }

  pass(ms: number): void {
    this.now += ms;
    this.index.advance(this.now);
  }

  /** One of the reads that are under way is answered. */
  answer(choice: number): void {
    const kind = [...this.#reads][choice % this.#reads.size];
    if (!kind) return;
    this.#reads.delete(kind);
    this.#tell(kind, this.#tree.get(kind) ?? null);
  }

  get #due(): number {
    const last = this.#tree.get(`attempt ${this.#attempt}`) as AttemptBrief | undefined;
    const { content } = this.#tree.get('task') as TaskFact;
    return last?.retryAt ?? (content.kind === 'task' ? content.brief.runAt : null) ?? 0;
  }

  #assign(worker: string): void {
    this.#worker = worker;
    this.#startedAt = this.now;
    this.#put(`assignment ${worker}`, assignmentFact({ attempt: this.#attempt + 1, startedAt: this.now }));
    this.now += 1; // a worker begins a little later, by its own clock
  }

  #unassign(): void {
    this.#drop(`assignment ${this.#worker}`);
    this.#worker = '';
  }

  #fail(delay: number): void {
    this.#attempt += 1;
    const times = { startedAt: this.#startedAt + 1, finishedAt: this.now, retryAt: this.now + delay };
    this.#put(`attempt ${this.#attempt}`, attempt(this.#attempt, { worker: this.#worker, ...times }));
    this.#unassign();
  }

  #end(state: StatusBrief['state'], startedAt: number | null): void {
    const ran = startedAt !== null;
    const number = this.#attempt + (ran ? 1 : 0);
    const by = { worker: ran ? this.#worker : null, startedAt, finishedAt: this.now };
    this.#put('status', status({ state, attempt: number, ...by }));
    if (ran) this.#unassign();
  }

  #put(kind: Kind, data: Data): void {
    this.#tree.set(kind, data);
    this.#tell(kind, 'unread');
    this.#reads.add(kind);
  }

  #drop(kind: Kind): void {
    this.#tree.delete(kind);
    if (!this.#reads.has(kind)) this.#tell(kind, null); // else the read will tell
  }

  #tell(kind: Kind, data: Data | 'unread' | null): void {
    const { index } = this;
    index.advance(this.now);
    const [what, which = ''] = kind.split(' ');
    if (what === 'task') index.setTask(task, data as TaskFact | 'unread');
    if (what === 'status') index.setStatus(task, data as StatusBrief | 'unread');
    if (what === 'attempt') index.setAttempt(task, Number(which), data as AttemptBrief | 'unread');
    if (what === 'assignment') index.setAssignment(workerId(which), task, data as AssignmentFact | 'unread' | null);
  }
}

const steps = fc.array(fc.tuple(fc.constantFrom('live', 'live', 'answer', 'pass'), fc.nat(1000)), { maxLength: 60 });

test('what is announced is a life that a task can have, and ends in its present state', () => {
  let announced = 0;
  fc.assert(
    fc.property(fc.constantFrom(0, 5, 2000), steps, (delay, moves) => {
      const life = new Life();
      life.create(delay);
      for (const [move, choice] of moves) {
        if (move === 'live') life.live(choice);
        if (move === 'answer') life.answer(choice);
        if (move === 'pass') life.pass(choice % 20);
      }
      while (life.reads > 0) life.answer(0);
      life.pass(0);
      const path = life.events.map(({ state }) => state);
      assert.equal(path.at(-1), life.state, path.join());
      path.forEach((state, i) => {
        const before = path[i - 1] ?? 'none';
        assert.ok(followers[before].includes(state), `${before} to ${state} in ${path}`);
      });
      announced += path.length;
    }),
    { numRuns: 2000 },
  );
  assert.ok(announced > 4000, `${announced} events are too few to prove anything`);
});

test('whoever is slow tells the same life as whoever saw all of it, apart from runs that left no record', () => {
  fc.assert(
    fc.property(steps, (moves) => {
      const [quick, slow] = [new Life(), new Life()];
      for (const life of [quick, slow]) life.create(0);
      while (quick.reads > 0) quick.answer(0);
      for (const [move, choice] of moves) {
        for (const life of [quick, slow]) {
          // The sixth thing that a running task can do is to be handed back, which is not told afterwards.
          if (move === 'live' && !(life.state === 'running' && choice % 7 === 5)) life.live(choice);
          if (move === 'pass') life.pass(choice % 20);
        }
        while (quick.reads > 0) quick.answer(0);
      }
      while (slow.reads > 0) slow.answer(0);
      for (const life of [quick, slow]) life.pass(0);
      const path = ({ events }: Life) =>
        events.map(({ state, attempt: number, worker }) => `${state} ${number} ${worker}`);
      assert.deepEqual(path(slow), path(quick));
    }),
    { numRuns: 1000 },
  );
});

function follow(index: TaskIndex): string[] {
  const told: string[] = [];
  index.states.onEvent = ({ state, attempt: number, worker, at }) =>
    told.push(`${state} ${number} ${worker ?? '-'} ${at}`);
  return told;
}

test('a run that was over before it was read is told from the records, with its times', () => {
  const index = new TaskIndex();
  const told = follow(index);
  index.states.goLive();
  index.advance(5000);
  index.setTask(task, 'unread');
  index.setTask(task, taskFact(1, { runAt: 600 }, { createdAt: 500 }));
  assert.deepEqual(told, ['scheduled 0 - 500', 'queued 0 - 600']);
  index.setAssignment(workerId('w'), task, 'unread');
  index.setAttempt(task, 1, 'unread');
  index.setAssignment(workerId('w'), task, null);
  index.setStatus(task, 'unread');
  index.setStatus(task, status({ attempt: 2, worker: 'v', startedAt: 3000, finishedAt: 4000 }));
  assert.equal(told.length, 2, 'what the first attempt was has not been read');
  index.setAttempt(task, 1, attempt(1, { startedAt: 1000, finishedAt: 1500, retryAt: 2000 }));
  assert.deepEqual(told.slice(2), [
    'running 1 w 1000',
    'scheduled 1 - 1500',
    'queued 1 - 2000',
    'running 2 v 3000',
    'succeeded 2 v 4000',
  ]);
});

test('a task that is cancelled while it waits has not run', () => {
  const index = new TaskIndex();
  const told = follow(index);
  index.states.goLive();
  index.setTask(task, taskFact(1));
  const never = { worker: null, startedAt: null };
  index.setStatus(task, status({ state: 'cancelled', attempt: 0, ...never, finishedAt: 9 }));
  assert.deepEqual(told, ['queued 0 - 0', 'cancelled 0 - 9']);
});

test('where a task is removed its status goes first, which is no change of state; what a person makes run again is', () => {
  const index = new TaskIndex();
  const told = follow(index);
  index.setTask(task, taskFact(1));
  index.setStatus(task, status());
  index.states.goLive();
  index.setStatus(task, null);
  assert.deepEqual(told, []);
  index.setAssignment(workerId('v'), task, assignmentFact({ startedAt: 90 }));
  assert.deepEqual(told, ['running 1 v 90']);
});

test('a run that was handed back while the link was broken, and the next one, are told as such', () => {
  const index = new TaskIndex();
  const told = follow(index);
  index.setTask(task, taskFact(1));
  index.setAssignment(workerId('v'), task, assignmentFact({ startedAt: 70 }, { czxid: 100n }));
  index.states.goLive();
  // What is there is found first, what is not there any more is noticed last.
  index.setAssignment(workerId('w'), task, assignmentFact({ startedAt: 90 }, { czxid: 200n }));
  index.setAssignment(workerId('v'), task, null);
  assert.deepEqual(told, ['queued 0 - 90', 'running 1 w 90']);
});

test('the first picture is no event, what differs from it later is; a new task under an old name is new', () => {
  const index = new TaskIndex();
  const told = follow(index);
  index.setTask(task, taskFact(1));
  index.setAssignment(workerId('w'), task, assignmentFact({ startedAt: 70 }));
  index.states.goLive();
  index.setAssignment(workerId('w'), task, assignmentFact({ startedAt: 70 }, { version: 1 })); // progress
  assert.deepEqual(told, []);
  index.setAssignment(workerId('w'), task, null);
  index.advance(80);
  index.setAssignment(workerId('v'), task, assignmentFact({ startedAt: 90 }));
  assert.deepEqual(told, ['queued 0 - 0', 'running 1 v 90']);
  index.removeTask(task);
  index.setAssignment(workerId('v'), task, null);
  index.setTask(task, taskFact(1, {}, { czxid: 99n, createdAt: 95 }));
  assert.deepEqual(told.slice(2), ['queued 0 - 95']);
});

// Goal: the picture depends on what is in the tree and not on how we learned of it, and a plan keeps its promises on any
// picture. Method: random facts, delivered in random order, repeated, and after outdated ones; then random trees planned.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { planAssignments } from '../../../domain/plan.ts';
import { runsBefore } from '../../../domain/ready-line.ts';
import type { TaskEntry, WorkerFact } from '../../../domain/task-entry.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { addWorker, assignmentFact, attempt, brief, status, taskFact, taskId, workerFact, workerId } from './facts.ts';

const now = 1000;
const numbers = fc.integer({ min: 0, max: 5 });
const names = fc.constantFrom('a', 'b', 'c');
const types = fc.constantFrom('x', 'y');
const queues = fc.constantFrom('p', 'q');
const times = fc.constantFrom(null, 500, 1500);

/** One thing that may be learned: what it is about, and how the index is told. */
interface Fact {
  readonly about: string;
  readonly tell: (index: TaskIndex) => void;
}

const content = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: types, queue: queues, priority: numbers, runAt: times }) },
  { weight: 1, arbitrary: fc.constant('invalid' as const) },
  { weight: 1, arbitrary: fc.constant('newer' as const) },
);

const taskFacts = fc.tuple(numbers, content, fc.nat(3)).map(([number, what, version]): Fact => {
  const fact =
    what === 'invalid'
      ? taskFact(number, {}, { version, content: { kind: 'invalid', why: '' } })
      : what === 'newer'
        ? taskFact(number, {}, { version, content: { kind: 'newer' } })
        : taskFact(number, what, { version, czxid: BigInt(number >> 1) });
  return { about: `task ${number}`, tell: (index) => index.setTask(taskId(number), fact) };
});

const workerRecord = fc.record({
  concurrency: numbers,
  types: fc.option(fc.uniqueArray(types)),
  queues: fc.option(fc.uniqueArray(queues)),
  draining: fc.boolean(),
});
const workerFacts = fc
  .tuple(names, fc.oneof(fc.constantFrom(null, 'unread' as const), fc.tuple(workerRecord, fc.constantFrom(1n, 100n))))
  .map(([name, what]): Fact => {
    const fact: WorkerFact | 'unread' | null = Array.isArray(what) ? workerFact(what[0], { czxid: what[1] }) : what;
    return { about: `worker ${name}`, tell: (index) => index.setWorker(workerId(name), fact) };
  });

const otherFacts = fc.oneof(
  fc.tuple(numbers, fc.constantFrom(null, 'unread' as const, status())).map(
    ([number, fact]): Fact => ({
      about: `status ${number}`,
      tell: (index) => index.setStatus(taskId(number), fact),
    }),
  ),
  fc.tuple(numbers, fc.integer({ min: 1, max: 3 }), fc.constantFrom(null, 'unread' as const, 500, 1500)).map(
    ([number, k, what]): Fact => ({
      about: `attempt ${number} ${k}`,
      tell: (index) =>
        index.setAttempt(taskId(number), k, typeof what === 'number' ? attempt(k, { retryAt: what }) : what),
    }),
  ),
  fc.tuple(numbers, fc.constantFrom(null, 'unread' as const, { reason: 'no' })).map(
    ([number, fact]): Fact => ({
      about: `cancel ${number}`,
      tell: (index) => index.setCancel(taskId(number), fact),
    }),
  ),
  fc.tuple(names, numbers, fc.constantFrom(null, 'unread' as const, 50n, 150n)).map(
    ([name, number, what]): Fact => ({
      about: `assignment ${name} ${number}`,
      tell: (index) =>
        index.setAssignment(
          workerId(name),
          taskId(number),
          typeof what === 'bigint' ? assignmentFact({}, { czxid: what }) : what,
        ),
    }),
  ),
  fc
    .tuple(names, fc.boolean())
    .map(([name, is]): Fact => ({ about: `folder ${name}`, tell: (index) => index.setReachable(workerId(name), is) })),
);
const facts = fc.array(fc.oneof(taskFacts, workerFacts, otherFacts), { maxLength: 60 });

function told(facts: readonly Fact[]): TaskIndex {
  const index = new TaskIndex();
  index.advance(now);
  for (const fact of facts) fact.tell(index);
  return index;
}

/** All that decisions are made from. */
function pictureOf(index: TaskIndex) {
  const phases = [...index.tasks.values()].map((entry) => `${entry.id} ${index.phase(entry)}`).sort();
  const loads = [...index.workers.values()].map(({ id, tasks }) => `${id} ${[...tasks].sort()}`).sort();
  const unsettled = [...index.unsettled].sort();
  for (const { id } of [...index.workers.values()]) index.setReachable(id, false);
  addWorker(index, 'takes-all', { concurrency: 1000 });
  const line = planAssignments(index, 1000).map(({ task, attempt }) => `${task} ${attempt}`);
  return { phases, loads, unsettled, line };
}

test('any order and any repetition of facts gives the same picture', () => {
  fc.assert(
    fc.property(facts, fc.infiniteStream(fc.nat()), (history, random) => {
      const last = new Map(history.map((fact) => [fact.about, fact]));
      const shuffled = [...last.values(), ...last.values()]
        .map((fact) => ({ fact, key: random.next().value ?? 0 }))
        .sort((a, b) => a.key - b.key)
        .map(({ fact }) => fact);
      assert.deepEqual(pictureOf(told(history)), pictureOf(told(shuffled)));
    }),
    { numRuns: 500 },
  );
});

test('a plan gives each task once, to a worker that takes it and has a slot, and leaves none that could run', () => {
  fc.assert(
    fc.property(facts, fc.integer({ min: 1, max: 10 }), (history, max) => {
      const index = told(history);
      const ready = [...index.tasks.values()].filter((entry) => index.phase(entry) === 'ready');
      const before = new Map([...index.workers.values()].map(({ id, tasks }) => [id, tasks.size]));
      const decisions = planAssignments(index, max);
      assert.ok(decisions.length <= max);
      assert.equal(new Set(decisions.map(({ task }) => task)).size, decisions.length);
      for (const { entry, worker } of decisions) {
        assert.ok(ready.includes(entry));
        assert.ok(takes(index, worker, entry));
        const { fact, tasks } = index.worker(workerId(worker));
        assert.ok(
          fact && fact !== 'unread' && tasks.size <= Math.max(fact.record.concurrency, before.get(worker) ?? 0),
        );
      }
      const left = ready.filter((entry) => index.phase(entry) === 'ready');
      assert.equal(left.length + decisions.length, ready.length);
      for (const entry of left) {
        for (const { entry: taken, worker } of decisions) {
          const stoodBehind = runsBefore(placeOf(entry), placeOf(taken)) && takes(index, worker, entry);
          assert.ok(!stoodBehind, `${entry.id} stood behind ${taken.id}`);
        }
        if (decisions.length === max) continue;
        for (const { id } of index.workers.values()) assert.ok(!(takes(index, id, entry) && hasSlot(index, id)));
      }
      assert.deepEqual(decisions.length === max ? [] : planAssignments(index, max), []);
    }),
    { numRuns: 500 },
  );
});

function takes(index: TaskIndex, id: string, { fact: task }: TaskEntry): boolean {
  const { fact, reachable } = index.worker(workerId(id));
  if (!fact || fact === 'unread' || !reachable || fact.record.draining) return false;
  const { types, queues } = fact.record;
  const { type, queue } = task && task !== 'unread' && task.content.kind === 'task' ? task.content.brief : brief();
  return (types?.includes(type) ?? true) && (queues?.includes(queue) ?? true);
}

function hasSlot(index: TaskIndex, id: string): boolean {
  const { fact, tasks } = index.worker(workerId(id));
  return fact !== null && fact !== 'unread' && tasks.size < fact.record.concurrency;
}

function placeOf(entry: TaskEntry) {
  const { fact } = entry;
  assert.ok(fact && fact !== 'unread' && fact.content.kind === 'task');
  return { entry, group: '', priority: fact.content.brief.priority, czxid: fact.czxid, number: fact.number };
}

// Goal: the picture depends on what is in the tree and not on how we learned of it, and a plan keeps its promises on any
// picture. Method: random facts, delivered in random order, repeated, and after outdated ones; then random trees planned.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stateOf } from '../../../domain/entry-state.ts';
import { recordOf } from '../../../domain/free-workers.ts';
import { listTasks } from '../../../domain/index-views.ts';
import { parsePosition } from '../../../domain/master-index.ts';
import { planAssignments } from '../../../domain/plan.ts';
import { defaultQueueSettings } from '../../../domain/queue-settings.ts';
import { runsBefore } from '../../../domain/ready-line.ts';
import { briefOf, type TaskEntry } from '../../../domain/task-entry.ts';
import type { TaskIndex } from '../../../domain/task-index.ts';
import { addWorker, brief, workerId } from './facts.ts';
import { facts, now, setQueues, told } from './random-facts.ts';

/** All that decisions are made from. */
function pictureOf(index: TaskIndex) {
  const phases = [...index.tasks.values()].map((entry) => `${entry.id} ${index.phase(entry)}`).sort();
  const loads = [...index.workers.values()].map(({ id, tasks }) => `${id} ${[...tasks].sort()}`).sort();
  const unsettled = [...index.unsettled].sort();
  const counts = countsOf(index);
  for (const { id } of [...index.workers.values()]) index.setReachable(id, false);
  addWorker(index, 'takes-all', { concurrency: 1000 });
  const line = planAssignments(index, 1000).map(({ task, attempt }) => `${task} ${attempt}`);
  return { phases, loads, unsettled, counts, line };
}

test('facts that are only taken down at first give the same picture, and the same counts', () => {
  fc.assert(
    fc.property(facts, fc.nat(60), (history, loaded) => {
      assert.deepEqual(pictureOf(told(history, loaded)), pictureOf(told(history)));
    }),
    { numRuns: 500 },
  );
});

test('any order and any repetition of facts gives the same picture, and the same counts', () => {
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

/** What the index counts by itself, where that does not depend on what was known before. */
function countsOf(index: TaskIndex) {
  const { counts, queuedSince } = index.states;
  const isKnown = (entry: TaskEntry) => entry.fact === null || stateOf(entry, now) !== null;
  return [...index.tasks.values()].every(isKnown)
    ? { states: counts.states, queues: [...counts.queues].sort(), queuedSince }
    : null;
}

test('counts, the order of creation and the longest wait are those of a walk over all tasks', () => {
  fc.assert(
    fc.property(facts, fc.nat(2000), (history, later) => {
      const index = told(history);
      index.advance(now + later);
      const entries = [...index.tasks.values()];
      const states = entries.map((entry) => stateOf(entry, now + later));
      const { counts } = index.states;
      const known = entries.filter((_, i) => states[i] !== null);
      for (const [state, count] of Object.entries(counts.states)) {
        const certain = states.filter((its) => its === state).length;
        // What is not known at the moment stays where it was.
        assert.ok(count >= certain && count <= certain + entries.length - known.length, `${count} ${state}`);
      }
      for (const queue of ['p', 'q']) {
        const slots = entries.filter((entry) => entry.queue === queue && entry.assignments.size > 0).length;
        assert.equal(counts.queues.get(queue)?.slots ?? 0, slots);
      }
      const expected = entries
        .flatMap((entry) => (entry.fact && entry.fact !== 'unread' ? [{ id: entry.id, ...entry.fact }] : []))
        .sort((a, b) => Number(b.czxid - a.czxid) || b.number - a.number)
        .map(({ id }) => id);
      assert.deepEqual(listed(index), expected);
      assert.equal(index.order.size, expected.length);
    }),
    { numRuns: 500 },
  );
});

/** All tasks, two to a page. */
function listed(index: TaskIndex): string[] {
  const all = { state: null, type: null, queue: null, worker: null, schedule: null, labels: [] };
  const ids: string[] = [];
  for (let after: string | null = null; ; ) {
    const page = listTasks(index, all, 2, after === null ? null : parsePosition(after), now);
    ids.push(...page.tasks.map(({ id }) => id));
    if (page.next === null) return ids;
    after = page.next;
  }
}

test('a plan gives each task once, to a worker that takes it and has a slot, and leaves none that could run', () => {
  fc.assert(
    fc.property(facts, setQueues, fc.integer({ min: 1, max: 10 }), (history, settings, max) => {
      const index = told(history);
      for (const [queue, its] of settings) index.setQueue(queue, { ...defaultQueueSettings, ...its });
      const slots = new Map(settings.map(([queue]) => [queue, index.states.counts.slotsOf(queue)]));
      const ready = [...index.tasks.values()].filter((entry) => index.phase(entry) === 'ready');
      const before = new Map([...index.workers.values()].map(({ id, tasks }) => [id, tasks.size]));
      const decisions = planAssignments(index, max);
      assert.ok(decisions.length <= max);
      assert.equal(new Set(decisions.map(({ task }) => task)).size, decisions.length);
      for (const { entry, worker } of decisions) {
        assert.ok(ready.includes(entry));
        assert.ok(takes(index, worker, entry));
        const given = index.worker(workerId(worker));
        const record = recordOf(given);
        assert.ok(record && given.tasks.size <= Math.max(record.concurrency, before.get(worker) ?? 0));
      }
      for (const [queue, before] of slots) {
        const { paused, concurrency, ratePerSecond, burst } = index.queues.settingsOf(queue);
        const taken = decisions.filter(({ entry }) => briefOf(entry)?.queue === queue).length;
        const room = Math.max(0, (concurrency ?? Infinity) - before);
        assert.ok(taken <= (paused ? 0 : Math.min(room, ratePerSecond === null ? Infinity : (burst ?? 1))));
      }
      const left = ready.filter((entry) => index.phase(entry) === 'ready');
      assert.equal(left.length + decisions.length, ready.length);
      for (const entry of left) {
        for (const { entry: taken, worker } of decisions) {
          const stoodBehind = runsBefore(placeOf(entry), placeOf(taken)) && takes(index, worker, entry);
          // Only the settings of its own queue may hold it up, and nothing of that queue then.
          const isFree = entry.queue === taken.queue || index.mayStart(entry.queue ?? '');
          assert.ok(!(stoodBehind && isFree), `${entry.id} stood behind ${taken.id}`);
        }
        if (decisions.length === max || !index.mayStart(entry.queue ?? '')) continue;
        for (const { id } of index.workers.values()) assert.ok(!(takes(index, id, entry) && hasSlot(index, id)));
      }
      assert.deepEqual(decisions.length === max ? [] : planAssignments(index, max), []);
    }),
    { numRuns: 500 },
  );
});

function takes(index: TaskIndex, id: string, { fact: task }: TaskEntry): boolean {
  const worker = index.worker(workerId(id));
  const record = recordOf(worker);
  if (!record || !worker.reachable || record.draining) return false;
  const { types, queues } = record;
  const { type, queue } = task && task !== 'unread' && task.content.kind === 'task' ? task.content.brief : brief();
  return (types?.includes(type) ?? true) && (queues?.includes(queue) ?? true);
}

function hasSlot(index: TaskIndex, id: string): boolean {
  const worker = index.worker(workerId(id));
  return worker.tasks.size < (recordOf(worker)?.concurrency ?? 0);
}

function placeOf(entry: TaskEntry) {
  const { fact } = entry;
  assert.ok(fact && fact !== 'unread' && fact.content.kind === 'task');
  return { entry, group: '', priority: fact.content.brief.priority, czxid: fact.czxid, number: fact.number };
}

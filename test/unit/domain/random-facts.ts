// Facts about few tasks and workers, by chance: any of them, in any order, outdated ones too.

import fc from 'fast-check';
import { afterFailures, withdrawReasons } from '../../../domain/task.ts';
import type { WorkerFact } from '../../../domain/task-entry.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { assignmentFact, attempt, status, taskFact, taskId, workerFact, workerId } from './facts.ts';

export const now = 1000;
const numbers = fc.integer({ min: 0, max: 5 });
const names = fc.constantFrom('a', 'b', 'c');
const types = fc.constantFrom('x', 'y');
const queues = fc.constantFrom('p', 'q');
const times = fc.constantFrom(null, 500, 1500);
const deadlines = fc.constantFrom(null, null, 950, 1500);
const marks = fc.constantFrom(null, null, ...withdrawReasons);
/** Tasks that are not read yet, and that may not be read. What has a higher number may come after them. */
const [unreadNumber, forbiddenNumber] = [2, 4];
const known = fc.constantFrom(0, 1, 3, 5, 6, 7);
const anyNumber = fc.integer({ min: 0, max: 7 });
const precedence = fc.oneof(
  { weight: 2, arbitrary: fc.constant({}) },
  {
    weight: 1,
    arbitrary: fc.record({
      exclusiveKey: fc.constantFrom(null, 'k', 'k', 'l'),
      after: fc.array(anyNumber.map(taskId), { maxLength: 2 }),
      afterFailure: fc.constantFrom(...afterFailures),
      retryOf: fc.option(anyNumber.map(taskId)),
    }),
  },
);

/** One thing that may be learned: what it is about, and how the index is told. */
export interface Fact {
  readonly about: string;
  readonly tell: (index: TaskIndex) => void;
}

const content = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(
        fc.record({ type: types, queue: queues, priority: numbers, runAt: times, deadlineAt: deadlines }),
        precedence,
      )
      .map(([brief, order]) => ({ ...brief, ...order })),
  },
  { weight: 1, arbitrary: fc.constant('invalid' as const) },
  { weight: 1, arbitrary: fc.constant('newer' as const) },
);

const taskFacts = fc.tuple(known, content, fc.nat(3)).map(([number, what, version]): Fact => {
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

const unreadFacts = fc.constantFrom<Fact>(
  { about: 'unread', tell: (index) => index.setTask(taskId(unreadNumber), 'unread') },
  { about: 'forbidden', tell: (index) => index.setForbidden(taskId(forbiddenNumber)) },
);

const otherFacts = fc.oneof(
  fc.tuple(anyNumber, fc.constantFrom(null, 'unread' as const, status(), status({ state: 'failed' }))).map(
    ([number, fact]): Fact => ({
      about: `status ${number}`,
      tell: (index) => index.setStatus(taskId(number), fact),
    }),
  ),
  fc.tuple(anyNumber, fc.constantFrom(null, 'unread' as const, 700)).map(
    ([number, at]): Fact => ({
      about: `unblocked ${number}`,
      tell: (index) => index.setUnblocked(taskId(number), at),
    }),
  ),
  fc.tuple(anyNumber, fc.integer({ min: 1, max: 3 }), fc.constantFrom(null, 'unread' as const, 500, 1500)).map(
    ([number, k, what]): Fact => ({
      about: `attempt ${number} ${k}`,
      tell: (index) =>
        index.setAttempt(taskId(number), k, typeof what === 'number' ? attempt(k, { retryAt: what }) : what),
    }),
  ),
  fc.tuple(anyNumber, fc.constantFrom(null, 'unread' as const, { reason: 'no' })).map(
    ([number, fact]): Fact => ({
      about: `cancel ${number}`,
      tell: (index) => index.setCancel(taskId(number), fact),
    }),
  ),
  fc.tuple(names, anyNumber, fc.constantFrom(null, 'unread' as const, 50n, 150n), marks).map(
    ([name, number, what, withdraw]): Fact => ({
      about: `assignment ${name} ${number}`,
      tell: (index) =>
        index.setAssignment(
          workerId(name),
          taskId(number),
          typeof what === 'bigint' ? assignmentFact({ withdraw }, { czxid: what }) : what,
        ),
    }),
  ),
  fc
    .tuple(names, fc.boolean())
    .map(([name, is]): Fact => ({ about: `folder ${name}`, tell: (index) => index.setReachable(workerId(name), is) })),
);
export const facts = fc.array(
  fc.oneof(
    { weight: 9, arbitrary: taskFacts },
    { weight: 1, arbitrary: unreadFacts },
    { weight: 10, arbitrary: workerFacts },
    { weight: 10, arbitrary: otherFacts },
  ),
  { maxLength: 60 },
);

const queueSettings = fc.record({
  paused: fc.boolean(),
  concurrency: fc.constantFrom(null, 0, 1, 2),
  ratePerSecond: fc.constantFrom(null, 0.5),
  burst: fc.constantFrom(null, 1, 2),
  maxQueued: fc.constant(null),
});
export const setQueues = fc.array(fc.tuple(queues, queueSettings), { maxLength: 2 });

/** `loaded`: what follows from the first so many is worked out at their end, task by task while the others arrive. */
export function told(facts: readonly Fact[], loaded = 0): TaskIndex {
  const index = new TaskIndex();
  index.advance(now - 100);
  index.beginLoading();
  for (const fact of facts.slice(0, loaded)) fact.tell(index);
  for (const fact of facts.slice(loaded)) {
    index.endLoading(1);
    fact.tell(index);
  }
  while (!index.endLoading(1));
  index.advance(now); // what was a matter of moments is over
  index.review(100);
  return index;
}

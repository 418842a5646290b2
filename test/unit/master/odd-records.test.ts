// Goal: whatever people write into the tree, no exception comes of it where a master or a gateway makes sense of it: one record
// would end every master. Method: records by chance, with the members that ours have and values that are out of all bounds; they
// are read, told to the index and planned with, and every question of clients is asked and rendered.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeQueue } from '../../../coordination/queue-record.ts';
import { decodeSchedule, decodeTicks } from '../../../coordination/schedule-records.ts';
import { decodeTask, encodeTask } from '../../../coordination/task-record.ts';
import {
  decodeAssignment,
  decodeAttempt,
  decodeStatus,
  decodeWorker,
  encodeAssignment,
} from '../../../coordination/znode-records.ts';
import type { Znode } from '../../../coordination/zookeeper-requests.ts';
import { explainTask } from '../../../domain/explain.ts';
import type { TaskExplanation } from '../../../domain/explanation.ts';
import { listTasks, queuesView, statsView, workersView } from '../../../domain/index-views.ts';
import type { TaskFilter } from '../../../domain/master-index.ts';
import { planAssignments } from '../../../domain/plan.ts';
import { nextRunAt } from '../../../domain/schedule.ts';
import { planTick } from '../../../domain/schedule-plan.ts';
import { planSettlement } from '../../../domain/settle.ts';
import { taskHistory } from '../../../domain/task-history.ts';
import { TaskIndex } from '../../../domain/task-index.ts';
import { taskView } from '../../../domain/task-view.ts';
import { taskMessage } from '../../../gateway/grpc/grpc-task.ts';
import { explanationJson } from '../../../gateway/http/explanation-json.ts';
import { scheduleJson } from '../../../gateway/http/schedule-json.ts';
import { taskJson } from '../../../gateway/http/task-json.ts';
import { BriefReader } from '../../../services/master/brief-reader.ts';
import { taskId, workerId } from '../domain/facts.ts';

/** Written as JSON by hand, since some of these are numbers there that `JSON.stringify` never writes. */
const numbers = fc.constantFrom(
  '1e308',
  '-1e308',
  '1e999',
  '-1e999',
  '5e-324',
  '-0',
  '0',
  '1',
  '2',
  '1.5',
  '9007199254740993',
);
const dates = fc.constantFrom(
  ...['+275760-09-13T00:00:00.000Z', '-271821-04-20T00:00:00.000Z', '9999-12-31T23:59:59.999Z', '0000-01-01T00:00:00Z'],
  ...['2026-01-01', '1970-01-01T00:00:00Z', 'NaN', '+999999-01-01T00:00:00Z', '2026-02-31T00:00:00Z'],
);
const words = fc.constantFrom(
  'x',
  'p',
  'k',
  'wait',
  'run',
  'failed',
  'cancelled',
  'expired',
  'task-0000000001',
  '0 3 * * *',
);
const texts = fc.oneof(dates, words, fc.string(), fc.constantFrom('x'.repeat(70_000), '\ud800', '__proto__', ''));
const scalars = fc.oneof(
  numbers,
  texts.map((text) => JSON.stringify(text)),
  fc.constantFrom('null', 'true', 'false', '[]', '{}', '['.repeat(200) + ']'.repeat(200)),
);
const names = fc.constantFrom(
  ...[
    'payload',
    'priority',
    'runAt',
    'timeoutMs',
    'maxAttempts',
    'backoff',
    'labels',
    'retentionMs',
    'submitId',
    'submittedAt',
  ],
  ...[
    'idempotencyKey',
    'retryOf',
    'batch',
    'deadlineMs',
    'exclusiveKey',
    'after',
    'afterFailure',
    'schedule',
    'delayMs',
  ],
  ...[
    'maxDelayMs',
    'jitter',
    'state',
    'result',
    'error',
    'attempt',
    'worker',
    'startedAt',
    'finishedAt',
    'outcome',
    'retryAt',
  ],
  ...[
    'withdraw',
    'progress',
    'percent',
    'message',
    'address',
    'concurrency',
    'types',
    'queues',
    'draining',
    'paused',
    'burst',
  ],
  ...[
    'ratePerSecond',
    'maxQueued',
    'overlap',
    'catchUp',
    'since',
    'at',
    'runs',
    'lastRunAt',
    'lastSkip',
    'why',
    'index',
    'size',
  ],
  ...['code', 'name', 'timeZone', '__proto__', 'constructor', 'hasOwnProperty'],
);

const objectOf = (values: fc.Arbitrary<string>, keys: fc.Arbitrary<string> = names) =>
  fc.array(fc.tuple(keys, values), { maxLength: 12 }).map((members) => textOf(members));
const textOf = (members: (readonly [string, string])[]) =>
  `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
const values = fc.oneof(
  scalars,
  objectOf(scalars),
  fc.array(scalars, { maxLength: 3 }).map((items) => `[${items}]`),
);

/** Members that make it one of ours, so that the odd ones are looked at. */
function recordOf(...known: (readonly [string, string])[]): fc.Arbitrary<Buffer> {
  const odd = fc.array(fc.tuple(names, values), { maxLength: 12 });
  const ours = odd.map((members) => textOf([...members, ['v', '1'], ...known]));
  return fc.oneof({ weight: 8, arbitrary: ours }, texts, values).map((text) => Buffer.from(text));
}

const spec = objectOf(values).map((text) => `${text.slice(0, -1)}${text === '{}' ? '' : ','}"type":"x"}`);
const timing = fc.oneof(
  fc.constantFrom('"cron":"0 3 * * *"', '"cron":"* * * * * *","timeZone":"America/New_York"', '"everyMs":1000'),
  numbers.map((number) => `"everyMs":${number}`),
  texts.map((text) => `"cron":${JSON.stringify(text)}`),
);
const definitions = fc.tuple(spec, timing, fc.option(dates), fc.constantFrom('skip', 'allow', 'replace'), fc.nat(100));

const shownOf = (told: TaskExplanation) => explanationJson({ ...told, state: told.state ?? 'queued', leader: 'a:1' });
const times = fc.constantFrom(0, 1_800_000_000_000, 8_640_000_000_000_000);
const filter: TaskFilter = { state: null, type: null, queue: null, worker: null, schedule: null, labels: [] };

test('records of tasks, runs, workers and queues: read, told to the index, planned, listed, explained and rendered', () => {
  const one = fc.record({
    task: recordOf(['type', '"x"']),
    status: fc.option(recordOf(['state', '"failed"'])),
    attempt: fc.option(recordOf()),
    assignment: fc.option(recordOf()),
    unblockedAt: fc.option(times),
    createdAt: times,
  });
  const all = fc.record({
    tasks: fc.array(one, { maxLength: 4 }),
    worker: recordOf(['address', '"a:1"']),
    queue: recordOf(),
  });
  fc.assert(
    fc.property(all, times, ({ tasks, worker, queue }, now) => {
      const index = new TaskIndex();
      const briefs = new BriefReader();
      const record = decodeWorker(worker);
      index.setWorker(workerId('w'), record && { czxid: 1n, version: 0, record });
      index.setReachable(workerId('w'), true);
      index.setQueue('default', decodeQueue(queue).settings);
      for (const [place, { task, status, attempt, assignment, unblockedAt, createdAt }] of tasks.entries()) {
        const id = taskId(place);
        const reading = decodeTask(task, createdAt);
        const content = reading.kind === 'task' ? briefs.task(id, reading.record) : reading;
        index.setTask(id, { czxid: 1n, number: place, version: 0, createdAt, content });
        const znode = (data: Buffer) => ({ data, stat: { ctime: createdAt } }) as Znode;
        if (attempt) index.setAttempt(id, 1, briefs.attempt(znode(attempt), 1));
        if (unblockedAt !== null) index.setUnblocked(id, unblockedAt);
        const held = assignment && decodeAssignment(assignment);
        if (held) index.setAssignment(workerId('w'), id, { czxid: 2n, version: 0, createdAt, record: held });
        if (status) index.setStatus(id, briefs.status(znode(status)), createdAt);
        if (reading.kind === 'task') encodeTask(reading.record);
        if (held && assignment) encodeAssignment(held, assignment);
        const snapshot = {
          ...{
            id,
            record: reading.kind === 'task' ? reading.record : null,
            createdAt,
            unblockedAt,
            cancelRequested: false,
          },
          status: status && decodeStatus(status, createdAt),
          attempts: attempt ? [decodeAttempt(attempt, 1, createdAt)] : [],
          assignment: held ? { worker: workerId('w'), record: held } : null,
        };
        const view = taskView(snapshot, now);
        assert.ok(JSON.stringify(taskJson(view)).includes(id));
        taskMessage(view);
        for (const step of taskHistory(snapshot, now)) JSON.stringify(taskJson(step.view()));
      }
      index.advance(now);
      index.review(now);
      planAssignments(index, 10);
      for (const entry of index.tasks.values()) planSettlement(index, entry, now, 0.5);
      for (const id of index.tasks.keys()) JSON.stringify(shownOf(explainTask(index, id, now)));
      assert.equal(listTasks(index, filter, 100, null, now).tasks.length, tasks.length);
      JSON.stringify([workersView(index), queuesView(index), statsView(index, 'a:1', now)]);
    }),
    { numRuns: 500 },
  );
});

test('records of schedules and how far they have come: read, planned and rendered', () => {
  fc.assert(
    fc.property(definitions, fc.option(recordOf()), recordOf(), times, (definition, ticks, odd, now) => {
      const [task, time, since, overlap, catchUp] = definition;
      const text = `{"v":1,"task":${task},${time},"overlap":"${overlap}","catchUp":${catchUp}`;
      const data = Buffer.from(`${text}${since === null ? '' : `,"since":"${since}"`}}`);
      const state = ticks && decodeTicks(ticks, now);
      for (const reading of [decodeSchedule(data, now), decodeSchedule(odd, now)]) {
        if (reading.kind === 'unreadable') continue;
        const { record, next } = reading;
        planTick({ record, state, next, unfinished: [], lastTask: null, nextNumber: 0, now: Math.min(now, 1e13) });
        const known = { name: 's', state, lastTask: null, createdAt: now, updatedAt: now, fault: null };
        JSON.stringify(scheduleJson({ ...known, record, nextRunAt: nextRunAt(record, state, next) }));
      }
    }),
    { numRuns: 300 },
  );
});

// Goal: schedules and their states are read as they were written, by us or by hand; what cannot be what it says makes the schedule
// unreadable, with what is wrong, and nothing ever throws. Method: examples, and properties over made-up definitions and data.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeSchedule, decodeTicks, encodeSchedule, encodeTicks } from '../../../coordination/schedule-records.ts';
import { parseSchedulePath } from '../../../coordination/znode-paths.ts';
import { limits } from '../../../domain/limits.ts';
import { overlaps, type ScheduleRecord, skipReasons, type TickState } from '../../../domain/schedule.ts';
import type { TaskId } from '../../../domain/task.ts';
import { timestampText } from '../../../domain/timestamp.ts';
import { taskRecord } from '../../fault/task-record.ts';

const { submitId, submittedAt, idempotencyKey, retryOf, batch, schedule, ...task } = taskRecord();
const changedAt = 5000;

function read(data: string | Buffer): ScheduleRecord {
  const reading = decodeSchedule(Buffer.from(data), changedAt);
  assert.equal(reading.kind, 'schedule', reading.kind === 'unreadable' ? reading.why : '');
  assert.ok(reading.kind === 'schedule');
  return reading.record;
}

/** As JSON would have it: objects that are made up have no prototype. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

const time = fc.integer({ min: 0, max: 4e12 });
const records: fc.Arbitrary<ScheduleRecord> = fc.record({
  timing: fc.oneof(
    fc.record({
      kind: fc.constant('cron' as const),
      cron: fc.constantFrom('* * * * *', '0 3 * * MON-FRI', '*/5 * * * * *'),
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin'),
    }),
    fc.record({
      kind: fc.constant('interval' as const),
      everyMs: fc.integer({ min: 1000, max: limits.scheduleEveryMsMax }),
    }),
  ),
  task: fc.record({
    ...Object.fromEntries(Object.entries(task).map(([name, value]) => [name, fc.constant(value)])),
    payload: fc.jsonValue({ maxDepth: 3 }),
    labels: fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.string()),
    deadlineMs: fc.option(fc.integer({ min: 1, max: 1000 })),
    exclusiveKey: fc.option(fc.constant('k')),
  }) as unknown as fc.Arbitrary<ScheduleRecord['task']>,
  overlap: fc.constantFrom(...overlaps),
  catchUp: fc.integer({ min: 0, max: 100 }),
  paused: fc.boolean(),
  since: time,
});

test('times beyond those that can be written are taken for the nearest one that can, so what follows from them can be said', () => {
  const since = (text: string) => read(`{"v":1,"everyMs":31536000000,"task":{"type":"echo"},"since":"${text}"}`).since;
  assert.equal(since('+275760-09-13T00:00:00.000Z'), Date.parse('9999-12-31T23:59:59.999Z'));
  assert.equal(since('-271821-04-20T00:00:00.000Z'), Date.parse('0001-01-01T00:00:00.000Z'));
  assert.equal(timestampText(8.64e15 + 1), '9999-12-31T23:59:59.999Z');
  assert.equal(timestampText(-1e308), '0001-01-01T00:00:00.000Z');
  assert.equal(timestampText(1), '1970-01-01T00:00:00.001Z');
});

test('what is written is read again, whatever was there before, and what we do not know stays', () => {
  fc.assert(
    fc.property(records, fc.option(records), (record, before) => {
      const previous = before === null ? Buffer.from('nonsense') : encodeSchedule(before, Buffer.from('{"note":[1]}'));
      const data = encodeSchedule(record, previous);
      assert.deepEqual(read(data), plain(record));
      assert.deepEqual(JSON.parse(data.toString()).note, before === null ? undefined : [1]);
    }),
  );
});

test('by hand a few members are enough', () => {
  const {
    timing,
    task: made,
    ...rest
  } = read('{"v":1,"cron":"0 3 * * *","task":{"type":"shell","payload":"echo hi"}}');
  assert.deepEqual(timing, { kind: 'cron', cron: '0 3 * * *', timeZone: 'UTC' });
  assert.deepEqual(made, { ...task, type: 'shell', payload: 'echo hi' });
  assert.deepEqual(rest, { overlap: 'skip', catchUp: 1, paused: false, since: changedAt });
});

test('a task of a schedule comes after nothing and waits for no time of its own', () => {
  const once = '"runAt":"2099-01-01T00:00:00Z","after":["task-1"],"afterFailure":"run","submitId":"x","v":7';
  assert.deepEqual(read(`{"v":1,"everyMs":1000,"task":{"type":"echo",${once}}}`).task, task);
});

test('what cannot be what it says is unreadable, with what is wrong', () => {
  const wrong: [string, RegExp][] = [
    ['', /no JSON object/],
    ['[]', /no JSON object/],
    ['{"everyMs":1000}', /no "v":1/],
    ['{"v":2,"everyMs":1000}', /version 2 is left to a newer/],
    ['{"v":1,"everyMs":1000}', /"task" is no object/],
    ['{"v":1,"everyMs":1000,"task":{}}', /of its "task" its "type" is no handler name/],
    ['{"v":1,"task":{"type":"x"}}', /either "cron" or "everyMs"/],
    ['{"v":1,"everyMs":1000,"cron":"* * * * *","task":{"type":"x"}}', /either "cron" or "everyMs"/],
    ['{"v":1,"cron":5,"task":{"type":"x"}}', /"cron" is no cron expression/],
    ['{"v":1,"cron":"* * * *","task":{"type":"x"}}', /"cron" must have five fields/],
    ['{"v":1,"cron":"* * * * *","timeZone":5,"task":{"type":"x"}}', /"timeZone" is no text/],
    ['{"v":1,"cron":"* * * * *","timeZone":"X","task":{"type":"x"}}', /"timeZone" is no IANA time zone/],
    ['{"v":1,"everyMs":999,"task":{"type":"x"}}', /"everyMs" is no whole number from 1000/],
    ['{"v":1,"everyMs":1000.5,"task":{"type":"x"}}', /"everyMs" is no whole number/],
    ['{"v":1,"everyMs":1000,"overlap":"maybe","task":{"type":"x"}}', /"overlap" is none of skip, allow, replace/],
    ['{"v":1,"everyMs":1000,"catchUp":101,"task":{"type":"x"}}', /"catchUp" is not from 0 to 100/],
    ['{"v":1,"everyMs":1000,"paused":"yes","task":{"type":"x"}}', /"paused" is neither/],
    ['{"v":1,"everyMs":1000,"since":"noon","task":{"type":"x"}}', /"since" is no time/],
    [`{"v":1,"everyMs":1000,"task":{"type":"x","payload":"${'x'.repeat(limits.recordBytesMax)}"}}`, /bytes are over/],
  ];
  for (const [data, why] of wrong) {
    const reading = decodeSchedule(Buffer.from(data), changedAt);
    assert.ok(
      reading.kind === 'unreadable' && why.test(reading.why),
      `${data.slice(0, 80)}: ${JSON.stringify(reading)}`,
    );
  }
});

test('anything at all can be read as a schedule, and as a state, without an exception', () => {
  const members = fc.constantFrom(
    'v',
    'cron',
    'timeZone',
    'everyMs',
    'task',
    'overlap',
    'catchUp',
    'paused',
    'since',
    'at',
  );
  const value = fc.oneof(
    fc.constantFrom<unknown>(1, 1000, '* * * * *', { type: 'x' }, 'skip'),
    fc.jsonValue({ maxDepth: 2 }),
  );
  const data = fc.oneof(
    fc.string(),
    fc.dictionary(members, value).map((object) => JSON.stringify(object)),
  );
  fc.assert(
    fc.property(data, (text) => {
      decodeSchedule(Buffer.from(text), changedAt);
      assert.ok(Number.isFinite(decodeTicks(Buffer.from(text), changedAt).at));
    }),
  );
});

test('a state is read as it was written; of what cannot be read no tick up to its last change is handled again', () => {
  const states: fc.Arbitrary<TickState> = fc.record({
    ...{ at: time, runs: fc.nat(), skipped: fc.nat(), missed: fc.nat(), lastRunAt: fc.option(time) },
    lastTask: fc.option(fc.constant('task-0000000007' as TaskId)),
    nextNumber: fc.nat(),
    lastSkip: fc.option(fc.record({ at: time, why: fc.constantFrom(...skipReasons) })),
  });
  fc.assert(fc.property(states, (state) => assert.deepEqual(decodeTicks(encodeTicks(state), changedAt), plain(state))));
  for (const data of ['', 'x', '{}', '{"at":"noon","runs":-1,"lastTask":"../x","lastSkip":{"at":5}}']) {
    assert.deepEqual(decodeTicks(Buffer.from(data), changedAt), {
      ...{
        at: changedAt,
        runs: 0,
        skipped: 0,
        missed: 0,
        lastRunAt: null,
        lastTask: null,
        nextNumber: 0,
        lastSkip: null,
      },
    });
  }
});

test('paths of schedules', () => {
  assert.deepEqual(parseSchedulePath('/schedules/a.b'), { schedule: 'a.b', isTicks: false });
  assert.deepEqual(parseSchedulePath('/schedules/a/ticks'), { schedule: 'a', isTicks: true });
  for (const path of [
    '/schedules',
    '/schedules/',
    '/schedules/a b',
    '/schedules/a/x',
    '/schedules/a/ticks/x',
    '/queues/a',
  ]) {
    assert.equal(parseSchedulePath(path), null, path);
  }
});

// Goal: what a newer version of us wrote is told from everything else, and what it added to a record of ours stays when we write
// that again. Method: examples, and our own records with members put in.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNewer, isNewerStatus } from '../../../coordination/record-json.ts';
import { decodeTicks, encodeSchedule, encodeTicks } from '../../../coordination/schedule-records.ts';
import { encodeTask, unknownTaskMembers } from '../../../coordination/task-record.ts';
import type { ScheduleRecord } from '../../../domain/schedule.ts';
import type { TaskId } from '../../../domain/task.ts';
import { taskRecord } from '../../fault/task-record.ts';

test('a record with a higher v is newer, wherever in it that stands; nothing else is', () => {
  for (const data of ['{"v":2}', '{"v":2,"state":"succeeded"}', ' {"state":"x","v": 17}\n', '{"v":10,"a":1}']) {
    assert.equal(isNewer(Buffer.from(data)), true, data);
  }
  for (const data of [
    '',
    'v2',
    '{"v":1}',
    '{"v":1,"w":2}',
    '{"v":"2"}',
    '{"v":1.5}',
    '{"v":-2}',
    '{"v":2',
    '[{"v":2}]',
    '{}',
    'null',
  ]) {
    assert.equal(isNewer(Buffer.from(data)), false, data);
  }
  assert.equal(isNewer(encodeTask(taskRecord())), false);
});

test('a status is newer with a state alone: any other text is the result that a person wrote, whatever its members', () => {
  for (const data of ['{"v":2,"state":"skipped"}', ' {"state":"succeeded","v":17}\n']) {
    assert.equal(isNewerStatus(Buffer.from(data)), true, data);
  }
  for (const data of ['', 'done', '{"v":2}', '{"v":2,"rows":7}', '{"v":2,"state":7}', '{"v":1,"state":"failed"}']) {
    assert.equal(isNewerStatus(Buffer.from(data)), false, data);
  }
});

test('every member that we write into a task is one that we know', () => {
  const whole = taskRecord({
    ...{
      idempotencyKey: 'k',
      retryOf: 'task-0000000001',
      batch: { index: 0, size: 1 },
      deadlineMs: 5,
      exclusiveKey: 'k',
    },
    ...{ after: ['task-0000000001' as TaskId], schedule: { name: 's', at: 0 }, runAt: 7 },
  });
  const written = JSON.parse(encodeTask(whole).toString());
  assert.deepEqual(unknownTaskMembers(written), {});
  assert.deepEqual(unknownTaskMembers({ ...written, tags: ['red'] }), { tags: ['red'] });
});

test('a schedule, its task and its ticks keep what we do not know, and lose what is taken back', () => {
  const { submitId, submittedAt, idempotencyKey, retryOf, batch, schedule, ...task } = taskRecord({
    exclusiveKey: null,
  });
  const timing = { kind: 'interval', everyMs: 1000 } as const;
  const record: ScheduleRecord = { timing, task, overlap: 'skip', catchUp: 1, paused: true, since: 0 };
  const before = {
    v: 1,
    cron: '* * * * *',
    calendar: 'lunar',
    task: { type: 'old', exclusiveKey: 'k', tags: ['red'] },
  };
  const after = JSON.parse(encodeSchedule(record, Buffer.from(JSON.stringify(before))).toString());
  assert.deepEqual([after.calendar, after.cron, after.everyMs], ['lunar', undefined, 1000]);
  assert.deepEqual([after.task.tags, after.task.exclusiveKey, after.task.type], [['red'], undefined, task.type]);
  const ticks = '{"v":1,"at":"2026-01-01T00:00:00.000Z","runs":3,"moon":"new"}';
  const state = decodeTicks(Buffer.from(ticks), 0);
  const next = JSON.parse(encodeTicks({ ...state, runs: state.runs + 1 }).toString());
  assert.deepEqual([next.moon, next.runs, next.v], ['new', 4, 1]);
});

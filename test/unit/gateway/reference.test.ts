// Goal: docs/reference.md leaves out no field, no code and no member of a record, and makes none up. Method: the names in the
// first column of its tables against the schemas that requests and answers are checked by, and against what is written.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { encodeSchedule, encodeTicks } from '../../../coordination/schedule-records.ts';
import * as tasks from '../../../coordination/task-record.ts';
import * as records from '../../../coordination/znode-records.ts';
import { explainReasons } from '../../../domain/explanation.ts';
import { type TaskId, type TaskRecord, taskErrorCodes } from '../../../domain/task.ts';
import { putScheduleSchema } from '../../../gateway/api/schedule-schema.ts';
import { submitTaskSchema } from '../../../gateway/api/submit-schema.ts';
import { explanationSchema } from '../../../gateway/http/explanation-json.ts';
import { scheduleSchema } from '../../../gateway/http/schedule-schemas.ts';
import { taskSchema } from '../../../gateway/http/task-schemas.ts';

const root = new URL('../../../../', import.meta.url);
const page = readFileSync(new URL('docs/reference.md', root), 'utf8');
const proto = readFileSync(new URL('proto/taskkeeper/v1/task_service.proto', root), 'utf8');

/** The names in the first column of the table whose head begins with `head`. */
function namesIn(head: string): string[] {
  const [, table = ''] = page.split(`\n| ${head}`);
  const rows = table.split('\n').slice(2);
  const end = rows.findIndex((row) => !row.startsWith('|'));
  return rows
    .slice(0, end)
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? ''));
}

/** The members of a record, as the table of records has them. */
function membersOf(path: string): string[] {
  const row = page.split('\n').find((line) => line.startsWith(`| \`${path}\` |`)) ?? '';
  const [, record = ''] = /`(\{.*?\})`/.exec(row) ?? [];
  return [...record.replace(/\\\|/g, ',').matchAll(/"(\w+)"/g)].map(([, name]) => name ?? '');
}

function membersWritten(data: Buffer): string[] {
  return Object.keys(JSON.parse(data.toString('utf8')));
}

const at = 1000;
const task: TaskRecord = {
  ...tasks.defaultTaskOptions,
  ...{ type: 'echo', submitId: 'a', submittedAt: at, runAt: at, idempotencyKey: 'k', retryOf: 'task-1', deadlineMs: 1 },
  ...{ batch: { index: 1, size: 2 }, exclusiveKey: 'x', after: ['task-1' as TaskId], schedule: { name: 's', at } },
};

test('what is submitted', () => {
  const { backoff } = submitTaskSchema.properties ?? {};
  assert.ok(backoff && 'properties' in backoff);
  const within = Object.keys(backoff.properties ?? {}).map((name) => `backoff.${name}`);
  assert.deepEqual(
    namesIn('field | default |').sort(),
    [...Object.keys(submitTaskSchema.properties ?? {}), ...within].sort(),
  );
});

test('a task and its codes', () => {
  assert.ok('properties' in taskSchema);
  assert.deepEqual(namesIn('field | |').sort(), Object.keys(taskSchema.properties ?? {}).sort());
  assert.deepEqual(namesIn('`error.code` |').sort(), [...taskErrorCodes].sort());
});

test('an explanation and its reasons, which the .proto names, too', () => {
  assert.ok('properties' in explanationSchema);
  assert.deepEqual(namesIn('of an explanation |').sort(), Object.keys(explanationSchema.properties ?? {}).sort());
  assert.deepEqual(namesIn('`reason` | the task').sort(), [...explainReasons].sort());
  const [, comment = ''] = /message ExplainTaskResponse \{([\s\S]*?)string reason = /.exec(proto) ?? [];
  for (const reason of explainReasons) assert.ok(comment.includes(`\`${reason}\``), reason);
});

test('a schedule', () => {
  assert.ok('properties' in scheduleSchema);
  const put = Object.keys(putScheduleSchema.properties ?? {});
  assert.deepEqual(namesIn('field of a schedule |').sort(), put.sort());
  const answered = Object.keys(scheduleSchema.properties ?? {}).filter((name) => !put.includes(name));
  assert.deepEqual(namesIn('field of the answer |').sort(), answered.sort());
});

test('records in the tree', () => {
  const worker = { address: 'a', concurrency: 1, types: ['x'], queues: ['q'], draining: false };
  const progress = { percent: 1, message: null };
  const assignment = { attempt: 1, startedAt: at, withdraw: 'expired' as const, progress };
  const run = { attempt: 1, worker: 'w', startedAt: at, finishedAt: at };
  const error = { code: 'timeout' as const, message: '' };
  const written: [string, Buffer][] = [
    ['/tasks/<task>', tasks.encodeTask(task)],
    ['/tasks/<task>/attempt-<k>', records.encodeAttempt({ ...run, outcome: 'failed', error, retryAt: at })],
    ['/assign/<worker>/<task>', records.encodeAssignment(assignment)],
    ['/workers/<worker>', records.encodeWorker(worker)],
    ['/idempotency/<bucket>/<hash>', records.encodeKey({ fingerprint: '', submitId: '', nextNumber: 0 })],
  ];
  for (const [path, data] of written) {
    assert.deepEqual(membersOf(path).sort(), membersWritten(data).sort(), path);
  }
  const common = { task, overlap: 'skip' as const, catchUp: 1, paused: false, since: at };
  const definitions = [
    encodeSchedule({ ...common, timing: { kind: 'cron', cron: '* * * * *', timeZone: 'UTC' } }),
    encodeSchedule({ ...common, timing: { kind: 'interval', everyMs: 1000 } }),
  ];
  const known = new Set(definitions.flatMap(membersWritten));
  assert.deepEqual(membersOf('/schedules/<name>').sort(), [...known].sort());
  const counts = { runs: 1, skipped: 1, missed: 1, nextNumber: 1 };
  const lastSkip = { at, why: 'unfinished' as const };
  const ticks = encodeTicks({ at, ...counts, lastRunAt: at, lastTask: 'task-1' as TaskId, lastSkip });
  assert.deepEqual(membersOf('/schedules/<name>/ticks').sort(), membersWritten(ticks).sort());
  const ends = [
    records.encodeStatus({ ...run, state: 'succeeded', result: 1, error: null }),
    records.encodeStatus({ ...run, state: 'failed', result: null, error }),
  ];
  assert.deepEqual(membersOf('/tasks/<task>/status').sort(), [...new Set(ends.flatMap(membersWritten))].sort());
});

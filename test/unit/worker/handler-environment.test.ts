// Goal: handlers see nothing of the worker's own settings, and commands nothing but a short list.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandEnvironment, threadEnvironment } from '../../../services/worker/handlers/handler-environment.ts';

const host = {
  PATH: '/bin',
  HOME: '/root',
  TZ: 'UTC',
  DATABASE_URL: 'mine',
  ZOOKEEPER_CONNECT: 'secret',
  ZOOKEEPER_DIGEST_FILE: 'secret',
  WORKER_ID: 'w',
  HTTP_HANDLER_HOSTS: 'x',
  TASKKEEPER_TASK_ID: 'of somebody else',
};

test('a thread gets everything but our settings', () => {
  const { TASKKEEPER_TASK_ID: _, ...rest } = threadEnvironment(host);
  assert.deepEqual(rest, { PATH: '/bin', HOME: '/root', TZ: 'UTC', DATABASE_URL: 'mine' });
});

const run = { taskId: 'task-1', attempt: 2, fencingToken: '99' };

test('a command gets the short list and its attempt, and the tick that it is for', () => {
  assert.deepEqual(commandEnvironment(host, { ...run, schedule: null }), {
    PATH: '/bin',
    HOME: '/root',
    TZ: 'UTC',
    TASKKEEPER_TASK_ID: 'task-1',
    TASKKEEPER_ATTEMPT: '2',
    TASKKEEPER_FENCING_TOKEN: '99',
  });
  const scheduledAt = (at: string | null) =>
    commandEnvironment(host, { ...run, schedule: { name: 's', at } })['TASKKEEPER_SCHEDULED_AT'];
  assert.equal(scheduledAt('2026-01-02T03:04:05.006Z'), '2026-01-02T03:04:05.006Z');
  assert.equal(scheduledAt(null), undefined);
});

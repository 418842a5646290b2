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

test('a command gets the short list and its attempt', () => {
  assert.deepEqual(commandEnvironment(host, { taskId: 'task-1', attempt: 2, fencingToken: '99' }), {
    PATH: '/bin',
    HOME: '/root',
    TZ: 'UTC',
    TASKKEEPER_TASK_ID: 'task-1',
    TASKKEEPER_ATTEMPT: '2',
    TASKKEEPER_FENCING_TOKEN: '99',
  });
});

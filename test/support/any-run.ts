// What a handler is told of a run that is like any other, for tests of handlers.

import type { RunFacts } from '../../services/worker/handlers/handler.ts';

export const anyRun: RunFacts = {
  taskId: 'task-0000000042',
  attempt: 3,
  maxAttempts: 5,
  fencingToken: '12345678901234567890',
  queue: 'mail',
  labels: { customer: '42' },
  deadlineAt: '2026-01-02T03:04:05.006Z',
  schedule: { name: 'nightly', at: null },
  retryOf: 'task-0000000041',
};

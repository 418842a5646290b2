// A task as a gateway would store it, for tests that submit.

import { randomUUID } from 'node:crypto';
import { defaultTaskOptions } from '../../coordination/task-record.ts';
import type { TaskRecord } from '../../domain/task.ts';

export function taskRecord(members: Partial<TaskRecord> = {}): TaskRecord {
  const origin = {
    submitId: randomUUID(),
    submittedAt: Date.now(),
    idempotencyKey: null,
    retryOf: null,
    batch: null,
    schedule: null,
  };
  return { ...defaultTaskOptions, type: 'echo', ...origin, ...members };
}

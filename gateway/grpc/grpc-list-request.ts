// From a ListTasksRequest to what the API takes.

import type { FieldFault } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';
import type { TaskState } from '../../domain/task.ts';
import { invalidRequest } from '../api/invalid-request.ts';
import type { ListOptions } from '../api/task-listing.ts';
import { textForms } from '../api/text-forms.ts';
import { lengthFaults } from './field-paths.ts';

/** As @grpc/proto-loader reads it: a field that is not set is missing, an unknown number of an enum is a number. */
export interface ListTasksMessage {
  readonly state?: string | number;
  readonly type?: string;
  readonly queue?: string;
  readonly worker?: string;
  readonly schedule?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly limit?: number;
  readonly cursor?: string;
}

const states: Readonly<Record<string, TaskState | null>> = {
  TASK_STATE_UNSPECIFIED: null,
  TASK_STATE_SCHEDULED: 'scheduled',
  TASK_STATE_QUEUED: 'queued',
  TASK_STATE_RUNNING: 'running',
  TASK_STATE_SUCCEEDED: 'succeeded',
  TASK_STATE_FAILED: 'failed',
  TASK_STATE_CANCELLED: 'cancelled',
};

const nameCharacters = new RegExp(textForms.name.pattern);
/** A worker that is not ours may be called anything. */
const workerCharactersMax = 1024;
const labelKeyCharacters = new RegExp(textForms.labelKey.pattern);

export function listOf(message: ListTasksMessage): ListOptions {
  const { state = 'TASK_STATE_UNSPECIFIED', type, queue, worker, schedule, cursor } = message;
  const { labels = {}, limit = limits.listLimitDefault } = message;
  const faults = [...nameFaults({ type, queue, schedule }), ...labelFaults(labels)];
  if (worker) faults.push(...lengthFaults('worker', worker, workerCharactersMax));
  if (!Object.hasOwn(states, state)) faults.push({ pointer: 'state', detail: 'is no known TaskState' });
  if (limit < 1) faults.push({ pointer: 'limit', detail: 'must be >= 1' });
  if (faults.length > 0) throw invalidRequest(faults);
  const filter = { type: type || null, queue: queue || null, worker: worker || null, schedule: schedule || null };
  return {
    filter: { state: states[state] ?? null, ...filter, labels: Object.entries(labels) },
    limit,
    cursor: cursor || null,
  };
}

function nameFaults(names: Readonly<Record<string, string | undefined>>): FieldFault[] {
  return Object.entries(names)
    .filter(([, name]) => name && !nameCharacters.test(name))
    .map(([pointer]) => ({ pointer, detail: `must be ${textForms.name.words}` }));
}

function labelFaults(labels: Readonly<Record<string, string>>): FieldFault[] {
  const { labelsMax, labelValueCharactersMax } = limits;
  const entries = Object.entries(labels);
  if (entries.length > labelsMax) {
    return [{ pointer: 'labels', detail: `must NOT have more than ${labelsMax} properties` }];
  }
  return entries.flatMap(([key, value]) => {
    const pointer = `labels[${JSON.stringify(key)}]`;
    if (!labelKeyCharacters.test(key)) return [{ pointer, detail: `must be ${textForms.labelKey.words}` }];
    return lengthFaults(pointer, value, labelValueCharactersMax);
  });
}

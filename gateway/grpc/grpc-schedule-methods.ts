// Schedules over gRPC: from call to ScheduleApi and back. A ScheduleSpec becomes the JSON body of the same request over HTTP and is
// checked as that.

import type { PackageDefinition } from '@grpc/proto-loader';
import type { FieldFault } from '../../domain/errors.ts';
import type { ScheduleSnapshot } from '../../domain/schedule.ts';
import { invalidRequest } from '../api/invalid-request.ts';
import type { ScheduleApi } from '../api/schedule-api.ts';
import { parsePutSchedule, parseScheduleName, type ScheduleRequest } from '../api/schedule-requests.ts';
import { aboutField, camelCased, snakeCase, specPath, withFieldPaths } from './field-paths.ts';
import { listBytesMax, type TaskAnswer } from './grpc-answers.ts';
import { encoderOf } from './grpc-protocol.ts';
import { bodyOf, type EnumWords, keyOf, type TaskSpecMessage, wordOf } from './grpc-requests.ts';
import { scheduleMessage } from './grpc-schedule.ts';

interface NamedMessage {
  readonly name?: string;
}

export interface PutScheduleMessage extends NamedMessage {
  readonly spec?: {
    readonly task?: TaskSpecMessage;
    readonly overlap?: unknown;
    readonly [field: string]: unknown;
  };
}

const overlaps: EnumWords = {
  OVERLAP_UNSPECIFIED: undefined,
  OVERLAP_SKIP: 'skip',
  OVERLAP_ALLOW: 'allow',
  OVERLAP_REPLACE: 'replace',
};

export function scheduleMethods(api: ScheduleApi, protocol: PackageDefinition, taskAnswer: TaskAnswer) {
  return {
    PutSchedule: async (message: PutScheduleMessage) => {
      const request = await requestOf(message);
      const { schedule, created } = await api.put(await nameOf(message), request);
      return { schedule: scheduleMessage(schedule), created };
    },
    GetSchedule: async (message: NamedMessage) => ({ schedule: scheduleMessage(await api.get(await nameOf(message))) }),
    ListSchedules: listSchedules(api, protocol),
    DeleteSchedule: async (message: NamedMessage) => {
      await api.remove(await nameOf(message));
      return {};
    },
    PauseSchedule: setPaused(api, true),
    ResumeSchedule: setPaused(api, false),
    RunSchedule: async (message: NamedMessage & { readonly idempotency_key?: string }) => {
      const key = await keyOf(message.idempotency_key);
      const { task, created } = await api.run(await nameOf(message), key);
      return taskAnswer('RunSchedule', task, { created });
    },
  };
}

function setPaused(api: ScheduleApi, paused: boolean) {
  return async (message: NamedMessage) => ({
    schedule: scheduleMessage(await api.setPaused(await nameOf(message), paused)),
  });
}

function listSchedules(api: ScheduleApi, protocol: PackageDefinition) {
  const encode = encoderOf(protocol, 'ListSchedulesResponse');
  const encoded = (schedule: ScheduleSnapshot) => encode({ schedules: [scheduleMessage(schedule)] });
  const size = { of: (schedule: ScheduleSnapshot) => encoded(schedule).length, max: listBytesMax };
  return async ({ cursor = '' }: { readonly cursor?: string }) => {
    const after = cursor === '' ? null : await aboutField('cursor', () => parseScheduleName(cursor));
    const page = await api.list(after, size);
    return { schedules: page.schedules.map(scheduleMessage), next_cursor: page.nextCursor };
  };
}

function nameOf({ name = '' }: NamedMessage): Promise<string> {
  return aboutField('name', () => parseScheduleName(name));
}

function requestOf({ spec }: PutScheduleMessage): Promise<ScheduleRequest> {
  if (!spec) throw invalidRequest([{ pointer: 'spec', detail: 'is required' }]);
  const { task, overlap, ...scalars } = spec;
  return withFieldPaths(specFieldPath, () => {
    const faults: FieldFault[] = [];
    const body = camelCased(scalars);
    if (task) body['task'] = bodyOf(task, '/task', faults);
    const word = wordOf(overlap, overlaps, 'Overlap', '/overlap', faults);
    if (word) body['overlap'] = word;
    if (faults.length > 0) throw invalidRequest(faults);
    return parsePutSchedule(body);
  });
}

function specFieldPath([field = '', ...rest]: readonly string[]): string {
  if (field === 'task') return `spec.task${specPath(rest, Infinity)}`;
  return ['spec', ...(field === '' ? [] : [snakeCase(field)])].join('.');
}

// What the answers of the operations on single tasks have in common.

import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { OpenAPIV3 } from 'openapi-types';
import type { ErrorReason } from '../../../domain/errors.ts';
import { atOnce, type SubmittedTask, type WaitOptions } from '../../api/task-api.ts';
import { sendJson } from '../json-answer.ts';
import type { Answer, CheckedRequest } from '../operation.ts';
import { waitApplied } from '../prefer-header.ts';
import { json } from '../schemas.ts';
import { taskJson } from '../task-json.ts';

/** Of everything that asks the ensemble. */
export const readProblems: readonly ErrorReason[] = ['task-not-found', 'task-unreadable', 'coordination-unavailable'];
export const writeProblems: readonly ErrorReason[] = ['coordination-unavailable', 'outcome-unknown'];
export const submitProblems: readonly ErrorReason[] = [
  ...writeProblems,
  'idempotency-key-reused',
  'idempotency-key-unreadable',
  'task-unreadable',
  'queue-full',
  'sequence-exhausted',
];

const preferenceHeader: Record<string, OpenAPIV3.HeaderObject> = {
  'Preference-Applied': {
    description: 'Present where Prefer was honoured.',
    schema: { type: 'string', pattern: '^wait=' },
  },
};

export const location: OpenAPIV3.HeaderObject = {
  description: 'Address of the new task.',
  required: true,
  schema: { type: 'string', format: 'uri-reference' },
};

export const etag: OpenAPIV3.HeaderObject = {
  description: 'Of the task as it is in this answer.',
  required: true,
  schema: { type: 'string', pattern: '^"[^"]+"$' },
};

/** A task; `waited` where the request can ask for a wait. */
export function taskAnswer(description: string, waited: 'waited' | 'at once', headers: Answer['headers'] = {}): Answer {
  return {
    description,
    headers: waited === 'waited' ? { ...preferenceHeader, ...headers } : headers,
    content: json('Task'),
  };
}

export interface RequestedWait extends WaitOptions {
  /** True where it came as a preference, which is answered when it is honoured. */
  readonly preferred: boolean;
}

/** The query parameter, being explicit, counts before the preference. */
export function requestedWait(request: CheckedRequest<{ wait: number | null; prefer: number | null }>): RequestedWait {
  const { wait, prefer } = request.parameters;
  const waitMs = wait ?? prefer ?? 0;
  const { signal } = waitMs > 0 ? request : atOnce;
  return { waitMs, signal, preferred: wait === null && prefer !== null };
}

export function preferenceApplied({ waitMs, preferred }: RequestedWait): OutgoingHttpHeaders {
  return preferred ? { 'Preference-Applied': waitApplied(waitMs) } : {};
}

/** 201 with its address for a new task, 200 for one that the idempotency key had made before. */
export function sendSubmitted(
  response: ServerResponse,
  { task, created }: SubmittedTask,
  headers: OutgoingHttpHeaders = {},
): void {
  const body = taskJson(task);
  if (created) sendJson(response, 201, body, { Location: `/tasks/${task.id}`, ...headers });
  else sendJson(response, 200, body, headers);
}

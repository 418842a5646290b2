// Schedules: what makes tasks again and again.

import { limits } from '../../../domain/limits.ts';
import type { ScheduleSnapshot } from '../../../domain/schedule.ts';
import { parsePutSchedule, parseRunSchedule, parseScheduleName } from '../../api/schedule-requests.ts';
import { scheduleNameSchema } from '../../api/schedule-schema.ts';
import { sendJson, sendNothing } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { pathParameter, queryText } from '../parameters.ts';
import { scheduleJson } from '../schedule-json.ts';
import { json } from '../schemas.ts';
import { idempotencyKey } from '../task-parameters.ts';
import { queuedTask, schedule } from './examples.ts';
import { location, sendSubmitted, submitProblems, taskAnswer, writeProblems } from './task-answers.ts';

const name = pathParameter(
  { name: 'name', description: 'Name of the schedule.', schema: scheduleNameSchema },
  parseScheduleName,
);

const cursor = queryText({
  name: 'cursor',
  description: 'The `nextCursor` of the answer before.',
  schema: scheduleNameSchema,
});

const size = {
  of: (snapshot: ScheduleSnapshot) => Buffer.byteLength(JSON.stringify(scheduleJson(snapshot))),
  max: limits.listBytesMax,
};

const example = { path: '/schedules/nightly-report', status: 200, answer: schedule };

export const listSchedules = operation({
  operationId: 'listSchedules',
  method: 'get',
  path: '/schedules',
  tag: 'schedules',
  summary: 'List schedules',
  parameters: { cursor },
  answers: { 200: { description: 'All of them, as far as they fit into one answer.', content: json('Schedules') } },
  problems: ['coordination-unavailable'],
  compressed: true,
  example: { path: '/schedules', status: 200, answer: { schedules: [schedule] } },
  handle:
    ({ schedules }) =>
    async ({ parameters }, response) => {
      const page = await schedules.list(parameters.cursor, size);
      const next = page.nextCursor === null ? {} : { nextCursor: page.nextCursor };
      sendJson(response, 200, { schedules: page.schedules.map(scheduleJson), ...next });
    },
});

export const putSchedule = operation({
  operationId: 'putSchedule',
  method: 'put',
  path: '/schedules/{name}',
  tag: 'schedules',
  summary: 'Make or change a schedule',
  description:
    'The schedule is as the body says from then on. The same once more changes nothing, and no tick is lost by that or by a change that leaves its times alone.',
  parameters: { name },
  body: { component: 'PutSchedule', required: true },
  answers: {
    200: { description: 'It was there, and is so now.', content: json('Schedule') },
    201: {
      description: 'It is new.',
      headers: { Location: { ...location, description: 'Address of the schedule.' } },
      content: json('Schedule'),
    },
  },
  problems: [...writeProblems, 'payload-too-large', 'schedule-unreadable', 'too-many-schedules'],
  example: {
    ...example,
    body: { cron: '0 3 * * MON-FRI', timeZone: 'Europe/Berlin', task: { type: 'echo', payload: { hello: 'world' } } },
  },
  handle:
    ({ schedules }) =>
    async ({ parameters, body }, response) => {
      const { schedule: made, created } = await schedules.put(parameters.name, parsePutSchedule(body));
      const headers = created ? { Location: `/schedules/${made.name}` } : {};
      sendJson(response, created ? 201 : 200, scheduleJson(made), headers);
    },
});

export const getSchedule = operation({
  operationId: 'getSchedule',
  method: 'get',
  path: '/schedules/{name}',
  tag: 'schedules',
  summary: 'A schedule, and how far it has come',
  parameters: { name },
  answers: { 200: { description: 'As it is now.', content: json('Schedule') } },
  problems: ['coordination-unavailable', 'schedule-not-found'],
  example,
  handle:
    ({ schedules }) =>
    async ({ parameters }, response) => {
      sendJson(response, 200, scheduleJson(await schedules.get(parameters.name)));
    },
});

export const deleteSchedule = operation({
  operationId: 'deleteSchedule',
  method: 'delete',
  path: '/schedules/{name}',
  tag: 'schedules',
  summary: 'Delete a schedule',
  description: 'Its tasks stay.',
  parameters: { name },
  answers: { 204: { description: 'It is gone.' } },
  problems: [...writeProblems, 'schedule-not-found'],
  example: { path: '/schedules/last-year', status: 204 },
  handle:
    ({ schedules }) =>
    async ({ parameters }, response) => {
      await schedules.remove(parameters.name);
      sendNothing(response, 204);
    },
});

export const pauseSchedule = operation({
  operationId: 'pauseSchedule',
  method: 'post',
  path: '/schedules/{name}/pause',
  tag: 'schedules',
  summary: 'Pause a schedule',
  description: 'It makes nothing until it is resumed; what it has made goes on.',
  parameters: { name },
  answers: { 200: { description: 'It is paused.', content: json('Schedule') } },
  problems: [...writeProblems, 'schedule-not-found', 'schedule-unreadable'],
  example: {
    path: '/schedules/nightly-report/pause',
    status: 200,
    answer: { ...schedule, paused: true, nextRunAt: null },
  },
  handle:
    ({ schedules }) =>
    async ({ parameters }, response) => {
      sendJson(response, 200, scheduleJson(await schedules.setPaused(parameters.name, true)));
    },
});

export const resumeSchedule = operation({
  operationId: 'resumeSchedule',
  method: 'post',
  path: '/schedules/{name}/resume',
  tag: 'schedules',
  summary: 'Resume a schedule',
  description: 'From now on: ticks that passed while it was paused are not made up.',
  parameters: { name },
  answers: { 200: { description: 'It is not paused.', content: json('Schedule') } },
  problems: [...writeProblems, 'schedule-not-found', 'schedule-unreadable'],
  example: { path: '/schedules/nightly-report/resume', status: 200, answer: schedule },
  handle:
    ({ schedules }) =>
    async ({ parameters }, response) => {
      sendJson(response, 200, scheduleJson(await schedules.setPaused(parameters.name, false)));
    },
});

export const runSchedule = operation({
  operationId: 'runSchedule',
  method: 'post',
  path: '/schedules/{name}/run',
  tag: 'schedules',
  summary: 'Run a schedule now',
  description: 'Makes a task beside the ticks, also while the schedule is paused and whatever is unfinished.',
  parameters: { name, idempotencyKey },
  body: { component: 'RunSchedule', required: false },
  answers: {
    200: taskAnswer('The idempotency key had made this task before.', 'at once'),
    201: taskAnswer('The new task, committed.', 'at once', { Location: location }),
  },
  problems: [...submitProblems, 'schedule-not-found', 'schedule-unreadable'],
  example: {
    path: '/schedules/nightly-report/run',
    status: 201,
    answer: { ...queuedTask, schedule: { name: 'nightly-report', at: null } },
  },
  handle:
    ({ schedules }) =>
    async ({ parameters, body }, response) => {
      const key = parseRunSchedule(body, parameters.idempotencyKey);
      sendSubmitted(response, await schedules.run(parameters.name, key));
    },
});

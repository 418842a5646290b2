// The gRPC face for tests: grpc-js and the .proto, its messages turned into the words of the JSON resource.

import { fileURLToPath } from 'node:url';
import {
  type ChannelOptions,
  type Client,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { onCleanup, type TestScope } from './cleanup.ts';
import type { Answer, Face, Outcome } from './faces.ts';
import { detailsOf } from './grpc-details.ts';

const proto = fileURLToPath(new URL('../../../proto/taskkeeper/v1/task_service.proto', import.meta.url));

/** A client made from the .proto, with fields named as there; closed with the scope. `options` are grpc-js's. */
export function taskServiceClient(scope: TestScope, address: string, options: ChannelOptions = {}): Client {
  const loaded = loadPackageDefinition(loadSync(proto, { keepCase: true, longs: Number, enums: String })) as Answer;
  const client = new loaded.taskkeeper.v1.TaskService(address, credentials.createInsecure(), options) as Client;
  onCleanup(scope, () => client.close());
  return client;
}

export function grpcFace(scope: TestScope, address: string): Face {
  const client = taskServiceClient(scope, address) as Answer;
  const call = (method: string, request: object, read: (response: Answer) => Answer): Promise<Outcome> =>
    new Promise((resolve) => {
      client[method](request, { deadline: Date.now() + 90_000 }, (error: ServiceError | null, response: Answer) =>
        resolve(error ? refusalOf(error) : { kind: 'answer', answer: read(response) }),
      );
    });
  const stream = (
    method: string,
    request: object,
    read: (message: Answer) => Answer,
    enough: (seen: Answer[]) => boolean,
    onOpen: () => void = () => undefined,
  ) => {
    const messages = client[method](request, { deadline: Date.now() + 90_000 });
    messages.once('metadata', onOpen);
    return collect(messages, read, enough);
  };
  const wait = (ms: number | undefined) => (ms === undefined ? {} : { wait: durationOf(ms) });
  const task = ({ task: message }: Answer) => taskOf(message);
  const made = ({ task: message, created = false }: Answer) => ({ task: taskOf(message), created });
  return {
    name: 'gRPC',
    submit: (spec, { key = '', waitMs } = {}) =>
      call('SubmitTask', { spec: specOf(spec), idempotency_key: key, ...wait(waitMs) }, made),
    submitMany: (specs, key = '') =>
      call('SubmitTasks', { specs: specs.map(specOf), idempotency_key: key }, ({ tasks = [], created = false }) => ({
        tasks: tasks.map(taskOf),
        created,
      })).then((outcome) => asOneList(outcome, specs)),
    get: (id, waitMs) => call('GetTask', { id, ...wait(waitMs) }, task),
    explain: (id) => call('ExplainTask', { id }, explanationOf),
    cancel: (id, reason = '') => call('CancelTask', { id, reason }, task),
    retry: (id, key = '') => call('RetryTask', { id, idempotency_key: key }, made),
    remove: (id) => call('DeleteTask', { id }, () => ({})),
    list: ({ state, ...query }) => call('ListTasks', { ...query, ...(state && { state: enumOf(state) }) }, pageOf),
    workers: () => call('ListWorkers', {}, ({ workers = [] }) => ({ workers: workers.map(workerOf) })),
    queues: () => call('ListQueues', {}, ({ queues = [] }) => ({ queues: queues.map(queueOf) })),
    queue: (name) => call('GetQueue', { name }, namedSettingsOf),
    updateQueue: (name, change) => call('UpdateQueue', { name, ...updateOf(change) }, namedSettingsOf),
    stats: () => call('GetStats', {}, statsOf),
    ...scheduleCalls(call, made),
    watchTask: (id, lastEventId = '') => stream('WatchTask', { id, last_event_id: lastEventId }, changeOf, () => false),
    watchEvents: (enough, { lastEventId = '', onOpen } = {}) =>
      stream('WatchEvents', { last_event_id: lastEventId }, changeOf, enough, onOpen),
  };
}

function namedSettingsOf({ name, settings }: Answer): Answer {
  return { name, ...settingsOf(settings) };
}

type Call = (method: string, request: object, read: (response: Answer) => Answer) => Promise<Outcome>;

function scheduleCalls(call: Call, made: (response: Answer) => Answer) {
  const schedule = (answer: Answer) => scheduleOf(answer.schedule);
  return {
    putSchedule: (name: string, definition: object) =>
      call('PutSchedule', { name, spec: scheduleSpecOf(definition) }, (answer) => ({
        schedule: schedule(answer),
        created: answer.created ?? false,
      })),
    schedules: (cursor = '') =>
      call('ListSchedules', { cursor }, ({ schedules = [], next_cursor: nextCursor }) => ({
        schedules: schedules.map(scheduleOf),
        ...(nextCursor && { nextCursor }),
      })),
    schedule: (verb: 'get' | 'delete', name: string) =>
      verb === 'get' ? call('GetSchedule', { name }, schedule) : call('DeleteSchedule', { name }, () => ({})),
    setPaused: (name: string, paused: boolean) => call(paused ? 'PauseSchedule' : 'ResumeSchedule', { name }, schedule),
    runSchedule: (name: string, key = '') => call('RunSchedule', { name, idempotency_key: key }, made),
  };
}

function collect(
  call: ClientReadableStream<Answer>,
  read: (message: Answer) => Answer,
  enough: (seen: Answer[]) => boolean,
): Promise<Outcome> {
  return new Promise((resolve) => {
    const seen: Answer[] = [];
    call.on('data', (message) => {
      seen.push(read(message));
      if (!enough(seen)) return;
      call.cancel();
      resolve({ kind: 'answer', answer: seen });
    });
    call.on('error', (error) => resolve(refusalOf(error as ServiceError)));
    call.on('end', () => resolve({ kind: 'answer', answer: seen }));
  });
}

/** Places as the JSON pointers that HTTP has: `spec.backoff.delay_ms` is `/backoff/delayMs`, `specs[3].type` `/tasks/3/type`. */
function refusalOf(error: ServiceError): Outcome {
  const { ErrorInfo, BadRequest, RetryInfo } = detailsOf(error);
  const places = (BadRequest?.field_violations ?? []).map(({ field }) => pointerOf(field)).sort();
  return { kind: 'refusal', reason: ErrorInfo?.reason ?? `code ${error.code}`, places, retry: RetryInfo !== undefined };
}

function pointerOf(field: string): string {
  const steps = field.match(/[^.[\]"]+/g) ?? [];
  const [first = '', ...rest] = steps;
  const all = first === 'spec' || first === 'settings' ? rest : first === 'specs' ? ['tasks', ...rest] : steps;
  return all.map((step) => `/${camelCase(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** Places in `after_members` as JSON has them: behind the ids, in the one list `after`. */
function asOneList(outcome: Outcome, specs: readonly Answer[]): Outcome {
  if (outcome.kind === 'answer') return outcome;
  const places = outcome.places.map((pointer) =>
    pointer.replace(/^\/tasks\/(\d+)\/afterMembers\/(\d+)$/, (_, task, place) => {
      const ids = specs[task].after.filter((item: Answer) => typeof item === 'string');
      return `/tasks/${task}/after/${ids.length + Number(place)}`;
    }),
  );
  return { ...outcome, places };
}

function camelCase(name: string): string {
  return name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

export function specOf(spec: Answer): object {
  const { payload, runAt, backoff, labels, after = [], afterFailure, ...scalars } = spec;
  const fields = Object.entries(scalars).map(([name, value]) => [snakeCase(name), value]);
  return {
    ...Object.fromEntries(fields),
    ...(payload !== undefined && { payload: protoValue(payload) }),
    ...(runAt !== undefined && { run_at: timestampOf(runAt) }),
    ...(labels && { labels }),
    ...(backoff && { backoff: backoffOf(backoff) }),
    after: after.filter((item: Answer) => typeof item === 'string'),
    after_members: after.filter((item: Answer) => typeof item === 'number'),
    ...(afterFailure && { after_failure: `AFTER_FAILURE_${afterFailure.toUpperCase()}` }),
  };
}

function backoffOf({ type, ...scalars }: Answer): object {
  const fields = Object.entries(scalars).map(([name, value]) => [snakeCase(name), value]);
  return { ...Object.fromEntries(fields), ...(type && { type: `BACKOFF_TYPE_${type.toUpperCase()}` }) };
}

/** google.protobuf.Value as @grpc/proto-loader writes it. */
export function protoValue(json: Answer): object {
  if (json === null) return { nullValue: 'NULL_VALUE' };
  if (typeof json === 'number') return { numberValue: json };
  if (typeof json === 'string') return { stringValue: json };
  if (typeof json === 'boolean') return { boolValue: json };
  if (Array.isArray(json)) return { listValue: { values: json.map(protoValue) } };
  const fields = Object.entries(json).map(([key, value]) => [key, protoValue(value)]);
  return { structValue: { fields: Object.fromEntries(fields) } };
}

export function jsonOfProto(value: Answer): unknown {
  if (value == null || value.nullValue !== undefined) return null;
  if (value.listValue) return (value.listValue.values ?? []).map(jsonOfProto);
  if (value.structValue) {
    const fields = Object.entries(value.structValue.fields ?? {}).map(([key, child]) => [key, jsonOfProto(child)]);
    return Object.fromEntries(fields);
  }
  return value.numberValue ?? value.stringValue ?? value.boolValue;
}

export function durationOf(ms: number): object {
  return { seconds: Math.trunc(ms / 1000), nanos: (ms % 1000) * 1e6 };
}

function timestampOf(text: string): object {
  const ms = Date.parse(text);
  return { seconds: Math.floor(ms / 1000), nanos: (ms - Math.floor(ms / 1000) * 1000) * 1e6 };
}

function timeOf(message: Answer): string | null {
  return message == null ? null : new Date((message.seconds ?? 0) * 1000 + (message.nanos ?? 0) / 1e6).toISOString();
}

export function enumOf(state: string): string {
  return `TASK_STATE_${state.toUpperCase()}`;
}

function wordOf(name: string, prefix: string): string {
  return name.slice(prefix.length).toLowerCase();
}

function errorOf(message: Answer): object | null {
  return message == null ? null : { code: message.code ?? '', message: message.message ?? '' };
}

/** A Task in JSON's words, every field there. */
export function taskOf(message: Answer): Answer {
  const { progress } = message;
  return {
    id: message.id,
    type: message.type ?? null,
    queue: message.queue ?? null,
    state: wordOf(message.state, 'TASK_STATE_'),
    payload: jsonOfProto(message.payload),
    priority: message.priority ?? 0,
    labels: message.labels ?? {},
    attempt: message.attempt ?? 0,
    maxAttempts: message.max_attempts ?? 0,
    worker: message.worker ?? null,
    progress: progress == null ? null : { percent: progress.percent ?? 0, message: progress.message ?? null },
    submittedAt: timeOf(message.submitted_at),
    runAt: timeOf(message.run_at),
    startedAt: timeOf(message.started_at),
    finishedAt: timeOf(message.finished_at),
    result: jsonOfProto(message.result),
    error: errorOf(message.error),
    attempts: (message.attempts ?? []).map((attempt: Answer) => ({
      attempt: attempt.attempt,
      worker: attempt.worker ?? null,
      outcome: wordOf(attempt.outcome, 'ATTEMPT_OUTCOME_'),
      error: errorOf(attempt.error),
      startedAt: timeOf(attempt.started_at),
      finishedAt: timeOf(attempt.finished_at),
    })),
    retryOf: message.retry_of ?? null,
    deadlineAt: timeOf(message.deadline_at),
    nextAttemptAt: timeOf(message.next_attempt_at),
    exclusiveKey: message.exclusive_key ?? null,
    after: message.after ?? [],
    afterFailure: wordOf(message.after_failure, 'AFTER_FAILURE_'),
    schedule: message.schedule ? { name: message.schedule.name, at: timeOf(message.schedule.at) } : null,
  };
}

function pageOf({ tasks = [], next_cursor: nextCursor }: Answer): Answer {
  return { tasks: tasks.map(taskOf), ...(nextCursor && { nextCursor }) };
}

function workerOf({
  id,
  address = '',
  concurrency = 0,
  types = [],
  every_type,
  queues = [],
  every_queue,
  running = 0,
  draining = false,
}: Answer): Answer {
  const served = { types: every_type ? null : types, queues: every_queue ? null : queues };
  return { id, address, concurrency, ...served, running, draining };
}

function queueOf({ name, settings, scheduled = 0, queued = 0, running = 0 }: Answer): Answer {
  return { name, ...settingsOf(settings), scheduled, queued, running };
}

function settingsOf(settings: Answer): Answer {
  return {
    paused: settings?.paused ?? false,
    concurrency: settings?.concurrency ?? null,
    ratePerSecond: settings?.rate_per_second ?? null,
    burst: settings?.burst ?? null,
    maxQueued: settings?.max_queued ?? null,
  };
}

export function scheduleSpecOf({ task, overlap, ...scalars }: Answer): object {
  const fields = Object.entries(scalars).map(([name, value]) => [snakeCase(name), value]);
  return {
    ...Object.fromEntries(fields),
    ...(task && { task: specOf(task) }),
    ...(overlap && { overlap: `OVERLAP_${overlap.toUpperCase()}` }),
  };
}

/** A Schedule in JSON's words, every field there. */
function scheduleOf({ name, spec, last_skip: lastSkip, ...message }: Answer): Answer {
  return {
    name,
    cron: spec?.cron ?? null,
    timeZone: spec?.time_zone ?? null,
    everyMs: spec?.every_ms ?? null,
    task: spec ? taskSpecOf(spec.task) : null,
    overlap: spec ? wordOf(spec.overlap, 'OVERLAP_') : null,
    catchUp: spec?.catch_up ?? null,
    paused: spec?.paused ?? null,
    since: timeOf(message.since),
    nextRunAt: timeOf(message.next_run_at),
    lastTickAt: timeOf(message.last_tick_at),
    lastRunAt: timeOf(message.last_run_at),
    lastTaskId: message.last_task_id ?? null,
    runs: message.runs ?? 0,
    skipped: message.skipped ?? 0,
    missed: message.missed ?? 0,
    lastSkip: lastSkip
      ? { at: timeOf(lastSkip.at), why: wordOf(lastSkip.why, 'SKIP_REASON_').replaceAll('_', '-') }
      : null,
    createdAt: timeOf(message.created_at),
    updatedAt: timeOf(message.updated_at),
    fault: message.fault ?? null,
  };
}

function taskSpecOf(spec: Answer): Answer {
  return {
    type: spec.type,
    payload: jsonOfProto(spec.payload),
    queue: spec.queue,
    priority: spec.priority,
    timeoutMs: spec.timeout_ms,
    maxAttempts: spec.max_attempts,
    backoff: {
      type: wordOf(spec.backoff.type, 'BACKOFF_TYPE_'),
      delayMs: spec.backoff.delay_ms,
      maxDelayMs: spec.backoff.max_delay_ms ?? null,
      jitter: spec.backoff.jitter,
    },
    labels: spec.labels ?? {},
    retentionMs: spec.retention_ms,
    deadlineMs: spec.deadline_ms ?? null,
    exclusiveKey: spec.exclusive_key ?? null,
  };
}

/** null lifts a limit: its field is in the mask and not in the settings. */
export function updateOf(change: object): object {
  const entries = Object.entries(change).map(([name, value]) => [snakeCase(name), value] as const);
  return {
    settings: Object.fromEntries(entries.filter(([, value]) => value !== null)),
    update_mask: { paths: entries.map(([name]) => name) },
  };
}

function statsOf({ leader = '', workers = 0, slots, tasks, oldest_queued_ms: oldestQueuedMs = null }: Answer): Answer {
  const states = ['scheduled', 'queued', 'running', 'succeeded', 'failed', 'cancelled'];
  const counts = Object.fromEntries(states.map((state) => [state, tasks?.[state] ?? 0]));
  return {
    leader,
    workers,
    slots: { total: slots?.total ?? 0, free: slots?.free ?? 0 },
    tasks: counts,
    oldestQueuedMs,
  };
}

function explanationOf({ state, since, until, tasks = [], also = [], ...rest }: Answer): Answer {
  const scalars = ['worker', 'type', 'queue', 'workers', 'limit', 'position', 'leader'];
  const given = Object.fromEntries(scalars.map((name) => [name, rest[name] ?? null]));
  const { id, reason, message } = rest;
  const times = { since: timeOf(since), until: timeOf(until) };
  return { id, state: wordOf(state, 'TASK_STATE_'), reason, message, ...times, ...given, tasks, also };
}

function changeOf({ event_id: eventId, task, event, reset }: Answer): Answer {
  if (reset) return { reset: true };
  return { eventId, ...(task && { task: taskOf(task) }), ...(event && { event: eventOf(event) }) };
}

function eventOf(event: Answer): Answer {
  const { id, type = null, queue = null, state, attempt = 0, worker = null, at } = event;
  return { id, type, queue, state: wordOf(state, 'TASK_STATE_'), attempt, worker, at: timeOf(at) };
}

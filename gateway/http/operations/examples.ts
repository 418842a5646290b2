// What the document's examples are made of.

export const queuedTask = {
  id: 'task-0000000042',
  type: 'echo',
  queue: 'default',
  state: 'queued',
  payload: { hello: 'world' },
  priority: 0,
  labels: { team: 'red' },
  attempt: 0,
  maxAttempts: 3,
  worker: null,
  progress: null,
  submittedAt: '2026-01-31T09:30:00.000Z',
  runAt: null,
  nextAttemptAt: null,
  startedAt: null,
  finishedAt: null,
  result: null,
  error: null,
  attempts: [],
  retryOf: null,
  deadlineAt: null,
  exclusiveKey: null,
  after: [],
  afterFailure: 'fail',
  schedule: null,
} as const;

const times = { startedAt: '2026-01-31T09:30:00.012Z', finishedAt: '2026-01-31T09:30:00.020Z' };

export const succeededTask = {
  ...queuedTask,
  ...times,
  state: 'succeeded',
  attempt: 1,
  worker: 'worker-1',
  result: { hello: 'world' },
  attempts: [{ attempt: 1, worker: 'worker-1', outcome: 'succeeded', error: null, ...times }],
} as const;

export const runningTask = {
  ...queuedTask,
  startedAt: times.startedAt,
  state: 'running',
  attempt: 1,
  worker: 'worker-1',
  progress: { percent: 40, message: 'halfway, nearly' },
} as const;

export const taskEvent = {
  id: 'task-0000000042',
  type: 'echo',
  queue: 'default',
  state: 'running',
  attempt: 1,
  worker: 'worker-1',
  at: times.startedAt,
} as const;

export const schedule = {
  name: 'nightly-report',
  cron: '0 3 * * MON-FRI',
  timeZone: 'Europe/Berlin',
  everyMs: null,
  task: {
    type: 'echo',
    payload: { hello: 'world' },
    queue: 'default',
    priority: 0,
    timeoutMs: 3_600_000,
    maxAttempts: 3,
    backoff: { type: 'exponential', delayMs: 1000, maxDelayMs: null, jitter: true },
    labels: {},
    retentionMs: 3_600_000,
    deadlineMs: null,
    exclusiveKey: null,
  },
  overlap: 'skip',
  catchUp: 1,
  paused: false,
  since: '2026-01-30T09:30:00.000Z',
  nextRunAt: '2026-02-03T02:00:00.000Z',
  lastTickAt: '2026-02-02T02:00:00.000Z',
  lastRunAt: '2026-02-02T02:00:00.000Z',
  lastTaskId: 'task-0000000042',
  runs: 1,
  skipped: 0,
  missed: 0,
  lastSkip: null,
  createdAt: '2026-01-30T09:30:00.000Z',
  updatedAt: '2026-01-30T09:30:00.000Z',
  fault: null,
} as const;

export const queueSettings = {
  name: 'mail',
  paused: false,
  concurrency: 5,
  ratePerSecond: 10,
  burst: 20,
  maxQueued: null,
} as const;

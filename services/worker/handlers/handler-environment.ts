// Which environment variables handlers get. A user's module gets the worker's own without Taskkeeper's settings; a shell
// command gets a short list of harmless ones, the three of its attempt (contract section 3), and the tick that it is for. Pure.

import type { RunFacts } from './handler.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** All settings of contract section 2. */
const ownSettings: readonly string[] = [
  'ADMIN_PORT',
  'ADVERTISED_HOST',
  'GRPC_PORT',
  'HANDLERS_DIR',
  'HOST',
  'HTTP_HANDLER_HOSTS',
  'HTTP_PORT',
  'LOG_LEVEL',
  'MASTER_ID',
  'MAX_FINISHED_TASKS',
  'MAX_UNFINISHED_TASKS',
  'MAX_WAITS',
  'MIN_RETENTION_MS',
  'SHELL_HANDLER',
  'WORKER_CONCURRENCY',
  'WORKER_DRAIN_GRACE_MS',
  'WORKER_ID',
  'WORKER_QUEUES',
];
const ownPrefix = 'ZOOKEEPER_';

const commandVariables: readonly string[] = [
  'HOME',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'LOGNAME',
  'PATH',
  'SHELL',
  'TMPDIR',
  'TZ',
  'USER',
];

export function threadEnvironment(host: Environment): Record<string, string> {
  return pick(host, (name) => !ownSettings.includes(name) && !name.startsWith(ownPrefix));
}

export function commandEnvironment(
  host: Environment,
  { taskId, attempt, fencingToken, schedule }: Pick<RunFacts, 'taskId' | 'attempt' | 'fencingToken' | 'schedule'>,
): Record<string, string> {
  return {
    ...pick(host, (name) => commandVariables.includes(name)),
    TASKKEEPER_TASK_ID: taskId,
    TASKKEEPER_ATTEMPT: String(attempt),
    TASKKEEPER_FENCING_TOKEN: fencingToken,
    ...(schedule?.at && { TASKKEEPER_SCHEDULED_AT: schedule.at }),
  };
}

function pick(host: Environment, isWanted: (name: string) => boolean): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const [name, value] of Object.entries(host)) {
    if (value !== undefined && isWanted(name)) picked[name] = value;
  }
  return picked;
}

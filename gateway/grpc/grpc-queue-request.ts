// The queue that a request is about, and from an UpdateQueueRequest to the settings that change. The mask and the settings become the JSON body of the same
// request over HTTP, in which null lifts a limit, and are checked as that.

import type { ServiceError } from '../../domain/errors.ts';
import { defaultQueueSettings, type QueueSettings } from '../../domain/queue-settings.ts';
import { parseQueueName, parseQueueUpdate } from '../api/control-requests.ts';
import { invalidRequest } from '../api/invalid-request.ts';
import { aboutField, camelCase, camelCased, snakeCase, withFieldPaths } from './field-paths.ts';

export interface UpdateQueueMessage {
  readonly name?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly update_mask?: { readonly paths?: readonly string[] };
}

const settingNames = Object.keys(defaultQueueSettings).map(snakeCase);

/** The queue that a message is about. */
export function queueNameOf({ name = '' }: Pick<UpdateQueueMessage, 'name'>): Promise<string> {
  return aboutField('name', () => parseQueueName(name));
}

export interface QueueUpdate {
  readonly name: string;
  readonly change: Partial<QueueSettings>;
}

export async function queueUpdateOf(message: UpdateQueueMessage): Promise<QueueUpdate> {
  const { settings = {}, update_mask } = message;
  const body = masked(settings, update_mask?.paths ?? []);
  const change = await withFieldPaths(
    (steps) => ['settings', ...steps.map(snakeCase)].join('.'),
    () => parseQueueUpdate(camelCased(body)),
  );
  return { name: await queueNameOf(message), change };
}

/** The settings that change, those that get their default with it. */
function masked(settings: Readonly<Record<string, unknown>>, paths: readonly string[]): Record<string, unknown> {
  const unknown = paths.findIndex((path) => path !== '*' && !settingNames.includes(path));
  if (unknown >= 0) throw noSetting(unknown);
  if (paths.length === 0) return settings;
  const named = paths.includes('*') ? settingNames : paths;
  return Object.fromEntries(named.map((path) => [path, settings[path] ?? defaultOf(path)]));
}

function defaultOf(path: string): unknown {
  return defaultQueueSettings[camelCase(path) as keyof QueueSettings];
}

function noSetting(place: number): ServiceError {
  return invalidRequest([
    { pointer: `update_mask.paths[${place}]`, detail: `must be one of ${settingNames.join(', ')}, *` },
  ]);
}

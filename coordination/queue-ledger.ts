// The settings of queues in `/queues`, as a gateway changes and knows them.

import { limits } from '../domain/limits.ts';
import {
  defaultQueueSettings,
  isDefault,
  type QueueSettings,
  unreadableQueueSettings,
} from '../domain/queue-settings.ts';
import { createIfMissing } from './bootstrap.ts';
import { isRefusal } from './coordination-error.ts';
import type { GroupCommit } from './group-commit.ts';
import { decodeQueue, encodeQueue, hasNoSettings } from './queue-record.ts';
import { isNewer } from './record-json.ts';
import type { Session } from './session.ts';
import { TreeCache } from './tree-cache.ts';
import { untilKnown } from './until-known.ts';
import { parseQueuePath, paths } from './znode-paths.ts';
import type { Operation, Znode } from './zookeeper-requests.ts';

/** As many queues as may have settings of their own have some. */
export class TooManyQueues extends Error {
  override readonly name = 'TooManyQueues';
}

/** What the znode of a queue says cannot be read, so there is nothing that the settings which are not named could be kept from. */
export class UnreadableQueue extends Error {
  override readonly name = 'UnreadableQueue';

  constructor(
    path: string,
    /** A newer version of us wrote it: not even all settings together are ours to put in its place. */
    readonly isNewer: boolean,
  ) {
    super(isNewer ? `${path} was written by a newer version of Taskkeeper` : `${path} is no JSON object`);
  }
}

/**
 * Changes what `change` names and keeps the rest; answers the settings as they are then. To set the same once more changes
 * nothing, so an answer that was lost is looked up and the change made again. Throws {@link TooManyQueues},
 * {@link UnreadableQueue} (nonsense is replaced where `change` names every setting) and CoordinationError.
 */
export function updateQueueSettings(
  session: Session,
  commits: GroupCommit,
  name: string,
  change: Partial<QueueSettings>,
): Promise<QueueSettings> {
  const path = paths.queue(name);
  return untilKnown(session, path, async () => {
    // Compared with what is there now: to lift a setting that another server has not shown us yet is more than nothing.
    const [, znode] = await Promise.all([session.sync(path), session.getData(path)]);
    const settings = { ...(znode ? settingsIn(path, znode, change) : defaultQueueSettings), ...change };
    const operation = znode ? replaceOrRemove(path, znode, settings) : create(path, settings);
    if (operation?.kind === 'create') await requireRoom(session);
    try {
      if (operation) await commits.commit([operation]);
    } catch (error) {
      if (isRefusal(error, 'no_node')) await createIfMissing(session, paths.queues); // removed by hand
      throw error;
    }
    return settings;
  });
}

/** As they were at the call, or later. Throws {@link UnreadableQueue} and CoordinationError. */
export async function readQueueSettings(session: Session, name: string): Promise<QueueSettings> {
  const path = paths.queue(name);
  const [, znode] = await Promise.all([session.sync(path), session.getData(path)]);
  return znode ? settingsIn(path, znode, {}) : defaultQueueSettings;
}

function settingsIn(path: string, { data }: Znode, change: Partial<QueueSettings>): QueueSettings {
  const { settings } = decodeQueue(data);
  const isWhole = Object.keys(defaultQueueSettings).every((name) => name in change);
  const isTheirs = isNewer(data);
  if (isTheirs || (!settings && !isWhole)) throw new UnreadableQueue(path, isTheirs);
  return settings ?? defaultQueueSettings;
}

function create(path: string, settings: QueueSettings): Operation | null {
  if (isDefault(settings)) return null;
  return { kind: 'create', path, data: encodeQueue(settings), mode: 'persistent' };
}

function replaceOrRemove(path: string, { data: previous, stat }: Znode, settings: QueueSettings): Operation {
  const { version } = stat;
  const data = encodeQueue(settings, previous);
  return hasNoSettings(data) ? { kind: 'remove', path, version } : { kind: 'set', path, data, version };
}

/** Gateways that do so at the same time may go over the limit by one each. */
async function requireRoom(session: Session): Promise<void> {
  const queues = await session.exists(paths.queues);
  if (queues && queues.numChildren >= limits.queuesMax) throw new TooManyQueues();
}

/** What queues are set to, as this gateway last heard. */
export class QueueDirectory {
  readonly #settings = new Map<string, QueueSettings>();
  readonly #mirror: TreeCache;

  constructor(session: Session) {
    this.#mirror = new TreeCache(session, paths.queues, 1, {
      onPresent: (path, znode) => {
        const name = parseQueuePath(path);
        if (name === null || !znode) return;
        // A master logs what cannot be read.
        this.#set(name, decodeQueue(znode.data).settings);
      },
      onForbidden: (path) => {
        const name = parseQueuePath(path);
        if (name !== null) this.#set(name, null);
      },
      onAbsent: (path) => {
        this.#settings.delete(parseQueuePath(path) ?? '');
      },
      onSynced: () => undefined,
    });
  }

  /** Resolves when it is complete; rejects when the session ends before. */
  start(): Promise<void> {
    return this.#mirror.start();
  }

  settingsOf(name: string): QueueSettings {
    return this.#settings.get(name) ?? defaultQueueSettings;
  }

  /** Null: they cannot be read. As masters take it. */
  #set(name: string, read: QueueSettings | null): void {
    this.#settings.set(name, read ?? this.#settings.get(name) ?? unreadableQueueSettings);
  }
}

// The warm picture of one session: mirrors of `/tasks`, `/workers`, `/assign` and `/queues` that feed the index, and the
// state changes that they amount to. Leader and standby keep the same one, so a standby that takes over has nothing to
// read first. Nonsense in the tree is logged once and stepped around.

import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { makeParentsAgain } from '../../coordination/bootstrap.ts';
import { decodeQueue } from '../../coordination/queue-record.ts';
import { isNewer, isNewerStatus } from '../../coordination/record-json.ts';
import type { Session } from '../../coordination/session.ts';
import { decodeTask } from '../../coordination/task-record.ts';
import { TreeCache, type TreeCacheOptions, type TreeListener } from '../../coordination/tree-cache.ts';
import {
  parseAssignPath,
  parseQueuePath,
  parseTaskPath,
  parseWorkerPath,
  paths,
} from '../../coordination/znode-paths.ts';
import { decodeAssignment, decodeWorker } from '../../coordination/znode-records.ts';
import type { Znode } from '../../coordination/zookeeper-requests.ts';
import { EventRing } from '../../domain/event-ring.ts';
import { limits } from '../../domain/limits.ts';
import { unreadableQueueSettings } from '../../domain/queue-settings.ts';
import type { TaskId, WorkerId } from '../../domain/task.ts';
import { taskNumber } from '../../domain/task-id.ts';
import { TaskIndex } from '../../domain/task-index.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import type { Log } from '../../runtime/log.ts';
import { BriefReader } from './brief-reader.ts';
import { SequenceWatch } from './sequence-watch.ts';

/** More oddities than these are not logged any more. */
const loggedLinesMax = 10_000;
/** Tasks that are put in their places in one turn at the end of the first reading: for all of a hundred thousand it takes half a second. */
const placedAtOnce = 2000;
/** A position in a list has no higher number; only names that people make up go beyond. */
const positionNumberMax = 999_999_999_999_999;

const ephemeral = { kind: 'ephemeral' } as const;

export class Picture {
  readonly index = new TaskIndex();
  /** Changes since the picture was complete for the first time; what it was then is no event. */
  readonly events = new EventRing(randomBytes(6).toString('hex'), limits.eventsKept);
  readonly sequence: SequenceWatch;
  readonly #briefs = new BriefReader();
  readonly #session: Session;
  readonly #log: Log;
  readonly #mirrors: TreeCache[];
  readonly #tasks: TreeCache;
  readonly #assigns: TreeCache;
  readonly #listeners = new Set<() => void>();
  readonly #eventListeners = new Set<() => void>();
  readonly #logged = new Set<string>();
  /** It was read as a whole once. */
  #isComplete = false;
  /** Something has changed in this turn. */
  #isChanging = false;

  constructor(session: Session, log: Log) {
    this.index.beginLoading();
    this.sequence = new SequenceWatch(session, (next) => this.#onNextNumber(next));
    this.#session = session;
    this.#log = log;
    this.index.states.onEvent = (event) => {
      this.events.push(event);
      for (const listener of this.#eventListeners) listener();
    };
    type OnNode = (path: string, znode: Znode | null | undefined) => void;
    const mirror = (root: string, depth: number, onNode: OnNode, options?: TreeCacheOptions) =>
      new TreeCache(session, root, depth, this.#listener(root, onNode), options);
    const tasksOptions = { onlyChild: 'status' };
    this.#assigns = mirror(paths.assign, 2, (path, znode) => this.#onAssign(path, znode));
    this.#tasks = mirror(paths.tasks, 2, (path, znode) => this.#onTask(path, znode), tasksOptions);
    // Settings before what they are about, workers before assignments, which are judged by whether their worker lives.
    this.#mirrors = [
      mirror(paths.queues, 1, (path, znode) => this.#onQueue(path, znode)),
      mirror(paths.workers, 1, (path, znode) => this.#onWorker(path, znode)),
      this.#assigns,
      this.#tasks,
    ];
  }

  /** True while the picture is complete and current. */
  get synced(): boolean {
    return this.#isComplete && this.#mirrors.every((mirror) => mirror.synced);
  }

  /** Resolves with the first complete picture; rejects when the session ends before. */
  async start(): Promise<void> {
    await Promise.all(this.#mirrors.map((mirror) => mirror.start()));
    while (!this.index.endLoading(placedAtOnce)) {
      await nextTurn();
      this.#session.signal.throwIfAborted();
    }
    this.#isComplete = true;
    this.index.states.goLive();
    this.#changed();
  }

  /**
   * Resolves once every event of what was committed before the call has come, and, as long as they are not very many, what they are
   * about has been read. Throws CoordinationError.
   */
  async caughtUp(): Promise<void> {
    await this.#session.sync(paths.tasks);
    await this.#session.getData(paths.tasks); // reads are answered in the order in which they are asked for
  }

  /** We are giving the task to the worker: what `committed` brings need not be read. */
  expectAssignment(worker: WorkerId, task: TaskId, committed: Promise<Znode>): void {
    this.#assigns.expect(paths.assignment(worker, task), committed);
  }

  /** To be called where the tree refuses what the picture of this task allows. */
  lookAgain(task: TaskId): void {
    this.#tasks.lookAgain(paths.task(task));
  }

  /** Calls `listener` after each turn of the event loop that has changed something, in one of its own; returns the function that ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls `listener` for each event that was added; returns the function that ends that. */
  onEvent(listener: () => void): () => void {
    this.#eventListeners.add(listener);
    return () => this.#eventListeners.delete(listener);
  }

  /** `undefined` means that the znode is gone, null that it is there and not read yet. */
  #listener(root: string, onNode: (path: string, znode: Znode | null | undefined) => void): TreeListener {
    const change = (path: string, znode: Znode | null | undefined) => {
      this.#changed();
      if (path === root) this.#onRoot(path, znode);
      else onNode(path, znode);
    };
    return {
      onPresent: change,
      onAbsent: (path) => change(path, undefined),
      onForbidden: (path) => this.#onForbidden(path),
      onSynced: () => this.#changed(),
    };
  }

  /** To be called before each change. A turn has many, which are at the same time: what follows from them counts from its beginning. */
  #changed(): void {
    if (this.#isChanging) return;
    this.#isChanging = true;
    this.index.advance(Date.now(), 0);
    this.index.review(monotonicMs(), 0);
    setImmediate(() => {
      this.#isChanging = false;
      // A standby's alarms go off here, or it would keep them all.
      this.index.advance(Date.now());
      this.index.review(monotonicMs());
      for (const listener of this.#listeners) listener();
    });
  }

  /** A parent that somebody removed is made again. */
  #onRoot(path: string, znode: Znode | null | undefined): void {
    if (path === paths.tasks) this.sequence.onRoot(znode);
    if (znode === undefined) void makeParentsAgain(this.#session, this.#log);
  }

  /** Null, as while it is not read, for what a newer version of us wrote: there it is, and what it says is not for us. */
  #unlessNewer(path: string, znode: Znode | null | undefined, isTheirs = isNewer): Znode | null | undefined {
    if (!znode || !isTheirs(znode.data)) return znode;
    this.#logOnce(path, 'a newer version of Taskkeeper wrote this record, and it is left to that');
    const parsed = parseTaskPath(path);
    if (parsed) this.index.setPartUnreadable(parsed.task, 'newer');
    return null;
  }

  #onForbidden(path: string): void {
    this.#changed();
    const queue = parseQueuePath(path);
    if (queue !== null) this.#onUnreadableQueue(path, queue);
    else this.#logOnce(path, 'this may not be read, and is stepped around');
    const parsed = parseTaskPath(path);
    if (parsed?.kind === 'task') {
      this.index.setForbidden(parsed.task);
      this.sequence.onTask(taskNumber(parsed.task), 'read'); // as far as it ever will be
    } else if (parsed) this.index.setPartUnreadable(parsed.task, 'forbidden');
  }

  #onWorker(path: string, found: Znode | null | undefined): void {
    const worker = parseWorkerPath(path);
    if (worker === null) return;
    if (!found) return this.index.setWorker(worker, found === null ? 'unread' : null);
    // Of a newer version the data alone is not for us: that it lives, and since when, is told by the znode.
    const znode = this.#unlessNewer(path, found);
    const record = znode ? decodeWorker(znode.data) : null;
    const { czxid, version, ephemeralOwner } = found.stat;
    if (ephemeralOwner === 0n || (znode && !record)) {
      this.#logOnce(path, 'this is no worker: it has no data or is not ephemeral');
      return this.index.setWorker(worker, null);
    }
    this.index.setWorker(worker, { czxid, version, record });
  }

  /** Until the data of a new one is read nothing is set. */
  #onQueue(path: string, znode: Znode | null | undefined): void {
    const queue = parseQueuePath(path);
    if (queue === null) return this.#logOnce(path, 'this is the name of no queue');
    if (znode) this.#onQueueData(path, queue, znode);
    else if (znode === undefined) this.index.setQueue(queue, null);
  }

  #onQueueData(path: string, queue: string, { data }: Znode): void {
    const { settings, notTaken } = decodeQueue(data);
    if (!settings) return this.#onUnreadableQueue(path, queue);
    if (notTaken.length > 0)
      this.#logOnce(path, `not taken as settings of a queue: ${notTaken.join(', ').slice(0, 200)}`);
    this.index.setQueue(queue, settings);
  }

  /** A queue that is held back does not go on because somebody wrote what nobody can read, nor because a master has just started. */
  #onUnreadableQueue(path: string, queue: string): void {
    const what = 'these settings of a queue cannot be read';
    this.#logOnce(
      path,
      `${what}: the last ones that were stay; with none it is paused until they are mended or removed`,
    );
    this.index.setQueue(queue, this.index.queues.settingsOf(queue, unreadableQueueSettings));
  }

  #onAssign(path: string, found: Znode | null | undefined): void {
    const parsed = parseAssignPath(path);
    if (!parsed) return this.#logOnce(path, 'this is no assignment');
    const { worker, task } = parsed;
    if (task === null) return this.index.setReachable(worker, found !== undefined);
    const znode = this.#unlessNewer(path, found);
    if (!znode) return this.index.setAssignment(worker, task, znode === null ? 'unread' : null);
    const { czxid, version, ctime: createdAt } = znode.stat;
    this.index.setAssignment(worker, task, { czxid, version, createdAt, record: decodeAssignment(znode.data) });
  }

  #onTask(path: string, znode: Znode | null | undefined): void {
    const parsed = parseTaskPath(path);
    if (!parsed) return this.#logOnce(path, 'this is no task, nor part of one');
    const { index } = this;
    const { kind, task } = parsed;
    const unread = znode === null ? 'unread' : null;
    switch (kind) {
      case 'task':
        return this.#onTaskItself(path, task, znode);
      case 'status':
        return this.#onStatus(task, this.#unlessNewer(path, znode, isNewerStatus));
      case 'unblocked':
        return index.setUnblocked(task, znode ? znode.stat.ctime : unread);
      case 'cancel':
        return index.setCancel(task, znode ? { reason: znode.data.toString('utf8').slice(0, 1024) } : unread);
      case 'attempt':
        return this.#onAttempt(task, parsed.attempt, this.#unlessNewer(path, znode));
    }
  }

  #onStatus(task: TaskId, znode: Znode | null | undefined): void {
    if (znode) this.index.setStatus(task, this.#briefs.status(znode), znode.stat.ctime);
    else this.index.setStatus(task, znode === null ? 'unread' : null);
  }

  #onAttempt(task: TaskId, attempt: number, znode: Znode | null | undefined): void {
    const unread = znode === null ? 'unread' : null;
    this.index.setAttempt(task, attempt, znode ? this.#briefs.attempt(znode, attempt) : unread);
  }

  #onTaskItself(path: string, task: TaskId, znode: Znode | null | undefined): void {
    const { index, sequence } = this;
    const number = taskNumber(task);
    if (znode) {
      sequence.onTask(number, 'read');
      this.#onTaskData(path, task, znode);
    } else if (znode === null) {
      // While the picture is complete, what is new in it was announced when it was created.
      sequence.onTask(number, this.synced && !index.tasks.has(task) ? 'created' : 'unread');
      index.setTask(task, 'unread');
    } else {
      sequence.onTask(number, 'gone');
      index.removeTask(task);
    }
  }

  #onTaskData(path: string, task: TaskId, { data, stat }: Znode): void {
    const reading = stat.ephemeralOwner === 0n ? decodeTask(data, stat.ctime) : ephemeral;
    if (reading.kind === 'newer') this.#logOnce(path, `a record of version ${reading.v} is left to a newer master`);
    if (reading.kind === 'invalid') this.#logOnce(path, reading.why);
    if (reading.kind === 'ephemeral') this.#logOnce(path, 'this is no task: an ephemeral znode can have no status');
    const content = reading.kind === 'task' ? this.#briefs.task(task, reading.record) : reading;
    const { czxid, version, ctime: createdAt } = stat;
    const number = Math.min(taskNumber(task), positionNumberMax);
    this.index.setTask(task, { czxid, number, version, createdAt, content });
  }

  #onNextNumber(next: number): void {
    if (next > limits.taskNumberMax * 0.9) {
      const share = `more than nine tenths of ${limits.taskNumberMax} task numbers are used`;
      this.#logOnce(paths.tasks, `${share}: plan the move to a new chroot`);
    }
    this.#changed();
  }

  #logOnce(path: string, what: string): void {
    const line = `${path} ${what}`;
    if (this.#logged.has(line) || this.#logged.size >= loggedLinesMax) return;
    this.#logged.add(line);
    this.#log.warn({ path }, what);
  }
}

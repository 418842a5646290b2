// What a picture keeps of records: what deciding, counting and listing need, without payloads, results and messages, which
// would make it as large as the tree. What a hundred thousand tasks say alike is kept once.

import { decodeAttempt, decodeStatus } from '../../coordination/znode-records.ts';
import type { Znode } from '../../coordination/zookeeper-requests.ts';
import type { Backoff, TaskId, TaskRecord } from '../../domain/task.ts';
import type { AttemptBrief, StatusBrief, TaskBrief, TaskContent } from '../../domain/task-entry.ts';
import { dependenciesOf } from '../../domain/task-id.ts';
import { deadlineOf } from '../../domain/task-view.ts';

/** Different values that are remembered; beyond that (somebody makes them up) each is kept for itself. */
const sharedMax = 10_000;
const noLabels: TaskBrief['labels'] = Object.freeze({});

export class BriefReader {
  readonly #texts = new Map<string, string>();
  readonly #backoffs = new Map<string, Backoff>();
  /** By queue and type the last one. */
  readonly #contents = new Map<string, TaskContent & { readonly kind: 'task' }>();

  /** Mostly tasks of one queue and type differ in their payloads alone. */
  task(id: TaskId, record: TaskRecord): TaskContent {
    const brief = this.#brief(id, record);
    const kind = `${brief.queue} ${brief.type}`;
    const last = this.#contents.get(kind);
    if (last && isSame(last.brief, brief)) return last;
    const content = { kind: 'task', brief } as const;
    if (last || this.#contents.size < sharedMax) this.#contents.set(kind, content);
    return content;
  }

  #brief(id: TaskId, record: TaskRecord): TaskBrief {
    const { priority, runAt, timeoutMs, maxAttempts, backoff, labels, retentionMs, idempotencyKey, batch } = record;
    const { retryOf, exclusiveKey, afterFailure, schedule } = record;
    return {
      type: this.#text(record.type),
      queue: this.#text(record.queue),
      priority,
      runAt,
      timeoutMs,
      deadlineAt: deadlineOf(record),
      maxAttempts,
      backoff: shared(this.#backoffs, backoffKey(backoff), backoff),
      labels: Object.keys(labels).length === 0 ? noLabels : labels,
      retentionMs,
      idempotencyKey,
      batch: idempotencyKey === null ? null : batch, // only for the sake of their key are members of one known as such
      retryOf,
      exclusiveKey,
      after: dependenciesOf(id, record),
      afterFailure,
      schedule: schedule && { ...schedule, name: this.#text(schedule.name) },
    };
  }

  status({ data, stat }: Znode): StatusBrief {
    const { state, attempt, worker, startedAt, finishedAt } = decodeStatus(data, stat.ctime);
    return { state, attempt, worker: worker === null ? null : this.#text(worker), startedAt, finishedAt };
  }

  attempt({ data, stat }: Znode, number: number): AttemptBrief {
    const { error: _, worker, ...rest } = decodeAttempt(data, number, stat.ctime);
    return { ...rest, worker: worker === null ? null : this.#text(worker) };
  }

  #text(text: string): string {
    return shared(this.#texts, text, text);
  }
}

function backoffKey({ type, delayMs, maxDelayMs, jitter }: Backoff): string {
  return `${type} ${delayMs} ${maxDelayMs} ${jitter}`;
}

/** Member by member: what they have of objects that they do not share makes them others. */
function isSame(a: TaskBrief, b: TaskBrief): boolean {
  for (const key in a) if (a[key as keyof TaskBrief] !== b[key as keyof TaskBrief]) return false;
  return true;
}

function shared<T>(known: Map<string, T>, key: string, value: T): T {
  const first = known.get(key);
  if (first !== undefined) return first;
  if (known.size < sharedMax) known.set(key, value);
  return value;
}

// What a picture keeps of records: what deciding, counting and listing need, without payloads, results and messages, which
// would make it as large as the tree. What a hundred thousand tasks say alike is kept once.

import { decodeAttempt, decodeStatus } from '../../coordination/znode-records.ts';
import type { Znode } from '../../coordination/zookeeper-requests.ts';
import type { Backoff, TaskId, TaskRecord } from '../../domain/task.ts';
import type { AttemptBrief, StatusBrief, TaskBrief } from '../../domain/task-entry.ts';
import { dependenciesOf } from '../../domain/task-id.ts';
import { deadlineOf } from '../../domain/task-view.ts';

/** Different values that are remembered; beyond that (somebody makes them up) each is kept for itself. */
const sharedMax = 10_000;
const noLabels: TaskBrief['labels'] = Object.freeze({});

export class BriefReader {
  readonly #texts = new Map<string, string>();
  readonly #backoffs = new Map<string, Backoff>();

  task(id: TaskId, record: TaskRecord): TaskBrief {
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
      backoff: shared(this.#backoffs, Object.values(backoff).join(), backoff),
      labels: Object.keys(labels).length === 0 ? noLabels : labels,
      retentionMs,
      idempotencyKey,
      batch,
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

function shared<T>(known: Map<string, T>, key: string, value: T): T {
  const first = known.get(key);
  if (first !== undefined) return first;
  if (known.size < sharedMax) known.set(key, value);
  return value;
}

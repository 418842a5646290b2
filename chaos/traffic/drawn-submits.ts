// The submits of the traffic, drawn at random: single ones, some of which come after an earlier task, batches, and lines of tasks for a narrow
// queue; with a key or without. Pure.

import type { Random } from '../random.ts';
import { drawTask, inLine } from './drawn-tasks.ts';
import { lineQueues } from './line-queues.ts';
import type { SubmitRequest, TrafficTask } from './request.ts';

export interface SubmitParts {
  /** Unique in the run: markers and key are made of it. */
  readonly name: string;
  readonly random: Random;
  /** The file that commands write to. */
  readonly evidence: string;
  /** A task that may be there still; null where none is known. */
  readonly recent: string | null;
}

export function drawSubmit(parts: SubmitParts): SubmitRequest {
  const { random, name, recent } = parts;
  const form = random.weighted({ single: 81, dependent: 5, batch: 12, line: 2 });
  const shared = { operation: 'submit', key: random.chance(0.6) ? `key of ${name}` : null } as const;
  if (form === 'batch') return { ...shared, tasks: drawBatch(parts), batch: true, waitMs: null };
  if (form === 'line') return { ...shared, tasks: drawLine(parts), batch: true, waitMs: null };
  const isDependent = form === 'dependent' && recent !== null;
  const task = isDependent ? dependent(parts, name, recent) : single(parts, name);
  return { ...shared, tasks: [task], batch: false, waitMs: random.chance(0.25) ? random.integer(100, 5000) : null };
}

function single({ random, evidence }: SubmitParts, marker: string): TrafficTask {
  return drawTask(random, marker, evidence);
}

/** `first` is an id, or a place in the batch. */
function dependent(parts: SubmitParts, marker: string, first: string | number): TrafficTask {
  const { random } = parts;
  const afterFailure = random.pick(['fail', 'run', 'wait'] as const);
  // It waits for a retry, and nobody may ever make that.
  const deadline = afterFailure === 'wait' && { deadlineMs: random.integer(4000, 10_000) };
  return { ...single(parts, marker), after: [first], afterFailure, ...deadline };
}

/** Some come after members before them. */
function drawBatch(parts: SubmitParts): TrafficTask[] {
  const { random, name } = parts;
  return Array.from({ length: random.integer(1, 6) }, (_, place) => {
    const marker = `${name}.${place}`;
    const isDependent = place > 0 && random.chance(0.5);
    return isDependent ? dependent(parts, marker, random.integer(0, place - 1)) : single(parts, marker);
  });
}

function drawLine({ random, name }: SubmitParts): TrafficTask[] {
  const queue = random.pick(lineQueues);
  const count = random.integer(4, 8);
  return Array.from({ length: count }, (_, place) => ({ marker: `${name}.${place}`, ...inLine(random, queue) }));
}

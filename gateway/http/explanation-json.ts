// An explanation in the JSON of the HTTP face, and its schema for the document.

import { type Explanation, explainReasons } from '../../domain/explanation.ts';
import { taskStates } from '../../domain/task.ts';
import { formatRfc3339 } from '../api/rfc3339.ts';
import { exactly, listOf, type Schema, text, textOrNull, timeOrNull } from './schema-words.ts';

/** Shape: the component Explanation of the OpenAPI document. */
export function explanationJson(explanation: Explanation): object {
  const { id, state, reason, message, since, until, worker, tasks } = explanation;
  const { type, queue, workers, limit, position, leader, also } = explanation;
  return {
    ...{ id, state, reason, message, since: timeJson(since), until: timeJson(until), worker, tasks },
    ...{ type, queue, workers, limit, position, leader },
    also: also.map((other) => ({ reason: other.reason, message: other.message })),
  };
}

function timeJson(epochMs: number | null): string | null {
  return epochMs === null ? null : formatRfc3339(epochMs);
}

const reason: Schema = {
  type: 'string',
  description: `Stable: one of ${explainReasons.map((name) => `\`${name}\``).join(', ')}; more may come.`,
};
const countOrNull: Schema = { type: ['integer', 'null'], minimum: 0 };

export const explanationSchema = exactly('Why a task is where it is. A field that does not apply is null, or empty.', {
  id: text,
  state: {
    type: ['string', 'null'],
    enum: [...taskStates, null],
    description: 'Null with `unreadable` and `newer_version`, where it cannot be told.',
  },
  reason,
  message: { ...text, description: 'For people: one sentence, with the next step where somebody can do something.' },
  since: {
    ...timeOrNull,
    description:
      'Since when it runs, waits or is final; with `no_master`, since when none leads; with `master_unreachable`, since when it does not answer.',
  },
  until: {
    ...timeOrNull,
    description:
      'When this ends by itself, if not before; with `queue_rate`, when the next of the queue may start; its deadline where that comes first.',
  },
  worker: { ...textOrNull, description: 'The one that runs it, or ran it last, or is being given it.' },
  tasks: { ...listOf(text), description: 'Tasks that it waits for, and retries of them.' },
  type: textOrNull,
  queue: textOrNull,
  workers: { ...countOrNull, description: 'Workers that it could be given to, if they had a free slot.' },
  limit: {
    type: ['number', 'null'],
    description: "What is reached: the queue's concurrency or rate a second, or the slots of those workers.",
  },
  position: {
    ...countOrNull,
    description: 'Tasks of its queue and type that go first; with `waits_for_key`, those before it in line.',
  },
  leader: { ...textOrNull, description: '`host:port` of the leading master, where it is ours.' },
  also: {
    ...listOf(exactly('What would hold it, too.', { reason: text, message: text })),
    description: 'What else would hold it if the first reason did not.',
  },
});

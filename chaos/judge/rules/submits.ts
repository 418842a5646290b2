// A submit makes its tasks once or not at all: a key answers the same tasks to whoever repeats it, a refusal has made none, what nobody knows has
// made one at most, and a batch is there as a whole or not. Markers tell in the tree what a submit has made. Pure.

import { groupBy } from '../group-by.ts';
import { type Finding, type History, line, type Rule } from '../history.ts';
import { answeredIds } from '../requests.ts';
import { type KeptTask, taskLines } from '../tasks.ts';
import type { Tally } from '../verdict.ts';

export const submits: Rule = {
  name: 'submits',
  *check(history, tally) {
    const made = madeByMarker(history);
    yield* once(history, made, tally);
    yield* keys(history, tally);
    yield* batches(history, made, tally);
  },
};

type Made = ReadonlyMap<string, readonly KeptTask[]>;

/** Tasks of the tree by marker. A retry has that of what it runs again, and is none of them. */
function madeByMarker({ tasks }: History): Made {
  const submitted = [...tasks.values()].filter(({ record }) => record?.retryOf === null);
  return groupBy(submitted, ({ record }) => record?.labels['marker'] ?? null);
}

/** However often it was repeated with its key, and whatever was deleted meanwhile. */
function* once({ requests, tree }: History, made: Made, tally: Tally): Generator<Finding> {
  for (const [marker, asked] of requests.byMarker) {
    const tasks = made.get(marker) ?? [];
    const outcomes = new Set(asked.map(({ call }) => call.outcome.is));
    const evidence = () => [...asked.map(({ call }) => line(call)), ...tasks.flatMap(({ id }) => taskLines(tree, id))];
    if (tasks.length > 1) yield { what: `${tasks.length} tasks were made of ${marker}`, evidence: evidence() };
    if (outcomes.has('yes')) continue;
    if (outcomes.has('unknown')) tally.add(`unknown submits that ${tasks.length > 0 ? 'made it' : 'made nothing'}`);
    else if (tasks.length > 0) yield { what: `${marker} was refused, and there is a task of it`, evidence: evidence() };
  }
}

/** A task that was deleted took the key with it: then another one may follow. */
function* keys({ requests }: History, tally: Tally): Generator<Finding> {
  for (const [key, calls] of requests.byKey) {
    if (calls.length > 1) tally.add('keys repeated');
    if (new Set(calls.map(({ gateway }) => gateway)).size > 1) tally.add('keys repeated over another gateway');
    if (calls.some((call) => answeredIds(call).some((id) => requests.mayBeDeleted(id)))) continue;
    const evidence = () => calls.map(line);
    const answers = new Set(
      calls.filter(({ outcome }) => outcome.is === 'yes').map((call) => answeredIds(call).join(' ')),
    );
    if (answers.size > 1) yield { what: `key ${key} was answered with different tasks`, evidence: evidence() };
    const makers = calls.filter(({ outcome }) => outcome.is === 'yes' && outcome.created === true);
    if (makers.length > 1) yield { what: `key ${key} was said to be new ${makers.length} times`, evidence: evidence() };
  }
}

function* batches({ requests, tree }: History, made: Made, tally: Tally): Generator<Finding> {
  for (const call of requests.submits) {
    const { tasks: specs } = call.request;
    if (specs.length < 2) continue;
    tally.add(`batches ${call.outcome.is}`);
    const ids = answeredIds(call);
    const present = specs.flatMap(({ marker }) => made.get(marker) ?? []);
    const evidence = () => [line(call), ...present.flatMap(({ id }) => taskLines(tree, id))];
    if (new Set(present.map(({ czxid }) => czxid)).size > 1) {
      yield { what: 'a batch was made in several transactions', evidence: evidence() };
    }
    const wasDeleted = ids.some((id) => requests.mayBeDeleted(id));
    if (present.length > 0 && present.length < specs.length && !wasDeleted) {
      yield { what: `of a batch of ${specs.length} tasks only ${present.length} are there`, evidence: evidence() };
    }
  }
}

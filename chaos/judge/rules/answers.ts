// What a submit is answered is what it asked for: as many tasks, new unless its key had made them before, each in the tree as it was sent. Pure.

import type { SubmittedTask } from '../../record.ts';
import { type Finding, type History, line, type Rule } from '../history.ts';
import { answeredIds, type Submit } from '../requests.ts';
import { type KeptTask, taskLines } from '../tasks.ts';

export const answers: Rule = {
  name: 'answers',
  *check(history, tally) {
    for (const call of history.requests.submits) {
      tally.add(`submits ${call.outcome.is}`);
      if (call.outcome.is !== 'yes') continue;
      yield* asMany(history, call);
      yield* asAsked(history, call);
    }
  },
};

function* asMany(history: History, call: Submit): Generator<Finding> {
  const { key, tasks } = call.request;
  const ids = answeredIds(call);
  if (new Set(ids).size < ids.length)
    yield { what: 'a submit was answered with one task twice', evidence: [line(call)] };
  const isRepetition = call.outcome.is === 'yes' && call.outcome.created === false;
  if (isRepetition && key === null)
    yield { what: 'a submit without a key was answered as repeated', evidence: [line(call)] };
  if (ids.length === tasks.length || (isRepetition && ids.length < tasks.length && hasLost(history, call))) return;
  yield { what: `a submit of ${tasks.length} tasks was answered with ${ids.length}`, evidence: [line(call)] };
}

/** Of a batch that is asked for again those are answered that are still there. */
function hasLost({ requests }: History, { request }: Submit): boolean {
  const calls = requests.byKey.get(request.key ?? '') ?? [];
  return calls.some((call) => answeredIds(call).some((id) => requests.mayBeDeleted(id)));
}

function* asAsked({ tasks, tree }: History, call: Submit): Generator<Finding> {
  const ids = answeredIds(call);
  if (ids.length !== call.request.tasks.length) return; // which is which cannot be told
  for (const [place, id] of ids.entries()) {
    const task = tasks.get(id);
    const wrong = task && difference(task, call.request.tasks[place] as SubmittedTask, ids);
    if (wrong)
      yield { what: `${id} is not what was asked for: ${wrong}`, evidence: [line(call), ...taskLines(tree, id)] };
  }
}

const compared = ['type', 'queue', 'priority', 'deadlineMs', 'timeoutMs', 'maxAttempts', 'exclusiveKey'] as const;

/** Null: the task is as it was asked for, as far as the record tells. `ids` are those of its batch. */
function difference({ record, after }: KeptTask, asked: SubmittedTask, ids: readonly string[]): string | null {
  if (!record) return 'it is no task of ours';
  if (record.labels['marker'] !== asked.marker) return `its marker is ${record.labels['marker']}`;
  const name = compared.find((each) => asked[each] !== undefined && asked[each] !== record[each]);
  if (name !== undefined) return `its ${name} is ${record[name]}`;
  const before = (asked.after ?? []).map((each) => (typeof each === 'number' ? ids[each] : each));
  return before.join() === after.join() ? null : `it comes after ${after.join(', ') || 'nothing'}`;
}

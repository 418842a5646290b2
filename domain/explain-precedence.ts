// What of other tasks holds one back: those that it comes after, and the line of its exclusive key. Pure.

import { failureText, type UnmetDependency } from './dependencies.ts';
import { stateOf } from './entry-state.ts';
import { type Cause, cause, counted, named } from './explanation.ts';
import type { TaskId } from './task.ts';
import { briefOf, type TaskEntry } from './task-entry.ts';
import type { TaskIndex } from './task-index.ts';

/** Of a task that was not let go yet by those that it comes after; `general` says so without naming them. */
export function dependencyCause(index: TaskIndex, entry: TaskEntry, general: Cause, now: number): Cause {
  const { precedence } = index;
  const verdict = precedence.verdictOf(entry);
  if (verdict?.kind === 'failed') {
    return cause(
      'being_ended',
      `The leading master is ending it as failed, dependency_failed: ${failureText(verdict)}.`,
    );
  }
  const unmet = precedence.unmetOf(entry);
  const tasks = unmet.flatMap(({ task, retry }) => (retry ? [task, retry] : [task]));
  if (verdict?.kind === 'met' || tasks.length === 0) {
    const message = 'The tasks that it comes after are over, and the leading master is letting it go.';
    return { ...general, message, until: null, tasks };
  }
  const verb = briefOf(entry)?.afterFailure === 'run' ? 'end' : 'succeed';
  const parts = [
    partOf(unmet, 'end', `are to ${verb} first`, `is to ${verb} first`),
    partOf(
      unmet,
      'retry',
      'did not succeed, so retries of them have to',
      'did not succeed, so a retry of it has to',
      ({ task, retry }) => `${task} (${retryText(index, retry, now)})`,
    ),
    partOf(unmet, 'creation', 'do not exist yet', 'does not exist yet'),
  ];
  return {
    ...general,
    message: `It comes after other tasks: ${parts.filter(Boolean).join('; ')}.`,
    until: null,
    tasks,
  };
}

/** What became of its retries, so that nobody begins a second one. */
function retryText({ tasks }: TaskIndex, retry: TaskId | null, now: number): string {
  if (retry === null) return 'not retried yet';
  const entry = tasks.get(retry);
  const state = (entry && stateOf(entry, now)) ?? 'not read yet';
  return entry?.status ? `its retry ${retry} did not succeed, either` : `its retry ${retry} is ${state}`;
}

/** `nameOf` is how a task of them is called. */
function partOf(
  unmet: readonly UnmetDependency[],
  what: UnmetDependency['waitsFor'],
  many: string,
  one: string,
  nameOf = ({ task }: UnmetDependency): string => task,
): string {
  const names = unmet.filter(({ waitsFor }) => waitsFor === what).map(nameOf);
  return names.length === 0 ? '' : `${named(names)} ${names.length === 1 ? one : many}`;
}

/** Null: it has no key, or it may have it now. */
export function keyCause({ precedence, tasks }: TaskIndex, entry: TaskEntry): Cause | null {
  if (precedence.hasTurn(entry)) return null;
  const { exclusiveKey: key, queuedSince: since } = entry;
  const other = precedence.keyTakenBy(entry);
  if (other === null) {
    const message = `The leading master is still reading tasks, one of which may have its exclusive key ${key}: ask again in a moment.`;
    return cause('waits_for_key', message, { since });
  }
  const holds = tasks.get(other)?.keyPlace?.holds ?? false;
  const position = precedence.keyPositionOf(entry);
  const others = (position ?? 0) - 1;
  const between =
    others > 0 ? `, and ${counted(others, 'other')} of that key ${others === 1 ? 'goes' : 'go'} before it` : '';
  const message = holds
    ? `Task ${other} has its exclusive key ${key}, and is run by a worker${between}: it runs when ${others > 0 ? 'they are' : 'that is'} over.`
    : `Task ${other} was submitted before it with the same exclusive key ${key}, and is not over${between}: ask why that one is not running.`;
  return cause('waits_for_key', message, { since, tasks: [other], position });
}

// What of other tasks holds one back: those that it comes after, and the line of its exclusive key. Pure.

import { failureText, type UnmetDependency } from './dependencies.ts';
import { type Cause, cause, named } from './explanation.ts';
import { briefOf, type TaskEntry } from './task-entry.ts';
import type { TaskIndex } from './task-index.ts';

/** Of a task that was not let go yet by those that it comes after; `general` says so without naming them. */
export function dependencyCause({ precedence }: TaskIndex, entry: TaskEntry, general: Cause): Cause {
  const verdict = precedence.verdictOf(entry);
  if (verdict?.kind === 'failed') {
    return cause(
      'being_ended',
      `The leading master is ending it as failed, dependency_failed: ${failureText(verdict)}.`,
    );
  }
  const unmet = precedence.unmetOf(entry);
  const tasks = unmet.map(({ task }) => task);
  if (verdict?.kind === 'met' || tasks.length === 0) {
    const message = 'The tasks that it comes after are over, and the leading master is letting it go.';
    return { ...general, message, tasks };
  }
  const verb = briefOf(entry)?.afterFailure === 'run' ? 'end' : 'succeed';
  const parts = [
    partOf(unmet, 'end', `are to ${verb} first`, `is to ${verb} first`),
    partOf(unmet, 'retry', 'did not succeed, so retries of them have to', 'did not succeed, so a retry of it has to'),
    partOf(unmet, 'creation', 'do not exist yet', 'does not exist yet'),
  ];
  return { ...general, message: `It comes after other tasks: ${parts.filter(Boolean).join('; ')}.`, tasks };
}

function partOf(
  unmet: readonly UnmetDependency[],
  what: UnmetDependency['waitsFor'],
  many: string,
  one: string,
): string {
  const ids = unmet.filter(({ waitsFor }) => waitsFor === what).map(({ task }) => task);
  return ids.length === 0 ? '' : `${named(ids)} ${ids.length === 1 ? one : many}`;
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
  const message = holds
    ? `Task ${other} has its exclusive key ${key}, and is run by a worker: it runs when that is over.`
    : `Task ${other} was submitted before it with the same exclusive key ${key}, and is not over: ask why that one is not running.`;
  return cause('waits_for_key', message, { since, tasks: [other] });
}

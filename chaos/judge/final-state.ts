// Which states of a task are its end. Pure.

import { finalStates } from '../../domain/task.ts';

const final: ReadonlySet<string> = new Set(finalStates);

export function isFinal(state: string): boolean {
  return final.has(state);
}

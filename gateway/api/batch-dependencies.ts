// What a schema cannot say of the tasks that the members of a batch come after: a member may name members before it and no
// others, so that no two can wait for each other; and how many tasks outside of the batch there may be in all, since each is
// a condition of the one transaction that makes the batch.

import type { FieldFault } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';

/** All that is wrong, with JSON pointers into the body of a batch. */
export function dependencyFaults(tasks: readonly { readonly after: readonly (string | number)[] }[]): FieldFault[] {
  const faults: FieldFault[] = [];
  const outside = new Set<string>();
  for (const [place, { after }] of tasks.entries()) {
    for (const [at, dependency] of after.entries()) {
      if (typeof dependency === 'string') outside.add(dependency);
      else if (dependency >= place) faults.push({ pointer: `/tasks/${place}/after/${at}`, detail: placeFault(place) });
    }
  }
  if (outside.size > limits.batchDependenciesMax) {
    const detail = `must NOT come after more than ${limits.batchDependenciesMax} tasks outside of the batch, all together`;
    faults.push({ pointer: '/tasks', detail });
  }
  return faults;
}

function placeFault(place: number): string {
  const before = place === 0 ? 'there is none before the first' : `0 to ${place - 1}`;
  return `must name a task before this one in the batch (${before})`;
}

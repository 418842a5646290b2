// The process that watches the tree while an overload run goes on, with a session of its own: it sees each task come, get its status and go,
// also those that retention has removed long before anybody could look. At the end it says what became of what was acknowledged.

import type { TaskId } from '../../domain/task.ts';
import { taskNumber } from '../../domain/task-id.ts';
import { openSession } from '../../test/support/stack-session.ts';
import { serveActions } from './child.ts';

export interface WitnessVerdict {
  /** Of what was acknowledged. */
  readonly neverMade: number;
  readonly notFinal: number;
  /** Of all tasks that were made since: those that were removed before they had their status, and those that had it twice. */
  readonly removedUnfinished: number;
  readonly endedTwice: number;
  readonly made: number;
  /** The link to ZooKeeper broke meanwhile, so that events may be missing. */
  readonly isBlind: boolean;
}

type Fate = 'made' | 'final';

/** A run opens it once and it ends with its process: nothing is closed. */
const openEnded = { after: () => undefined };
const fates = new Map<number, Fate>();
let removedUnfinished = 0;
let endedTwice = 0;
let isBlind = false;

/** Resolves when it sees what happens. */
async function watchTasks(connect: string): Promise<void> {
  const session = await openSession(openEnded, connect);
  session.onState(() => {
    isBlind = true;
  });
  await session.watchRecursively('/tasks', (path, change) => {
    const [, , name, child] = path.split('/');
    if (name === undefined) return;
    const number = taskNumber(name as TaskId);
    if (child === undefined && change === 'created') fates.set(number, 'made');
    if (child === 'status' && change === 'created') onEnd(number);
    if (child === undefined && change === 'removed' && fates.get(number) === 'made') removedUnfinished += 1;
  });
}

function onEnd(number: number): void {
  if (fates.get(number) === 'final') endedTwice += 1;
  fates.set(number, 'final');
}

async function verdict(acknowledged: readonly number[]): Promise<WitnessVerdict> {
  const found = acknowledged.map((number) => fates.get(number));
  return {
    neverMade: found.filter((fate) => fate === undefined).length,
    notFinal: found.filter((fate) => fate === 'made').length,
    ...{ removedUnfinished, endedTwice, made: fates.size, isBlind },
  };
}

const actions = { watchTasks, verdict };
export type WitnessActions = typeof actions;

serveActions(actions);

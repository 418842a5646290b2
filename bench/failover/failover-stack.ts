// The stack of which processes are ended: two masters, two workers and a gateway, and the tasks that are there besides, which the
// masters know before the first is ended.

import { fileURLToPath } from 'node:url';
import { encodeTask } from '../../coordination/task-record.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { TaskId } from '../../domain/task.ts';
import { taskRecord } from '../../test/fault/task-record.ts';
import type { TestScope } from '../../test/support/cleanup.ts';
import { type Process, type Stack, type StackZooKeeper, startStack } from '../../test/support/stack.ts';
import type { TestSession } from '../../test/support/stack-session.ts';
import type { FigureName, Figures } from '../figures.ts';
import { benchStackOptions, createMany } from '../stack.ts';
import type { FailoverSizes } from './options.ts';
import { TreeEvents } from './tree-events.ts';

export interface Failover {
  readonly sizes: FailoverSizes;
  readonly stack: Stack;
  readonly session: TestSession;
  readonly events: TreeEvents;
  /** One more value of a figure in ms; `aim` is for the worst one. */
  add(figure: string, ms: number, aim?: number): void;
  /** Runs `kill` as often as is wanted. */
  repeat(what: string, kill: () => Promise<void>): Promise<void>;
}

/** What is beyond a session timeout that may be ours, and how soon a clean stop is to be known. */
export const aims = { beyondSessionMs: 500, stopMs: 200 } as const;

const handlers = fileURLToPath(new URL('./handlers', import.meta.url));

export async function startFailover(
  scope: TestScope,
  zookeeper: StackZooKeeper,
  backlog: number,
  tools: { readonly sizes: FailoverSizes; readonly figures: Figures; say(progress: string): void },
): Promise<Failover> {
  const { sizes, figures, say } = tools;
  const { contents, kills, sessionMs } = sizes;
  const among = backlog === 0 ? 'nothing else there' : `${backlog} ${contents}`;
  say(`starting a stack: ${among}`);
  const worker = { ...benchStackOptions.worker, HANDLERS_DIR: handlers, WORKER_DRAIN_GRACE_MS: 0 };
  const options = { ...benchStackOptions, masters: 0, workers: 2, worker, sessionTimeoutMs: sessionMs };
  const stack = await startStack(scope, zookeeper, options);
  const session = await stack.session;
  await createMany(session, contents, backlog);
  for (let masters = 0; masters < 2; masters += 1) await stack.addMaster();
  const name = (figure: string): FigureName => ({ figure: `${figure}, ${among}`, unit: 'ms', better: 'lower' });
  return {
    ...{ sizes, stack, session, events: await TreeEvents.of(session) },
    add: (figure, ms, aim) => {
      figures.add(aim === undefined ? name(figure) : { ...name(figure), aim, aimOf: 'worst' }, ms);
    },
    repeat: async (what, kill) => {
      for (let number = 1; number <= kills; number += 1) {
        say(`${what}, ${among}, ${number} of ${kills}`);
        await kill();
      }
    },
  };
}

/** A task that any worker takes, past the gateway. */
export async function createTask(session: TestSession): Promise<TaskId> {
  const path = await session.create(`${paths.tasks}/task-`, encodeTask(taskRecord({ type: 'echo' })), 'sequential');
  return path.slice(paths.tasks.length + 1) as TaskId;
}

/** It has ended. */
export function forget(processes: Process[], ended: Process): void {
  processes.splice(processes.indexOf(ended), 1);
}

/** So that what is measured does not depend on how long ago the last heartbeat was: any time of the cycle is as likely. */
export async function atAnyMoment(sessionMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, (Math.random() * sessionMs) / 5));
}

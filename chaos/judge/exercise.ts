// What a long run has to have exercised: of a promise that was never put to the test nobody knows whether it is kept. Pure.

import type { Verdict } from './verdict.ts';

const wanted = [
  ...['tasks acknowledged', 'calls submit unknown', 'keys repeated over another gateway', 'batches yes', 'retries yes'],
  'submits refused: queue-full',
  ...['tasks deleted', 'tasks cancelled', 'cancels that came too late', 'final states seen', 'streams'],
  ...['successes compared with evidence', 'failures compared with evidence', 'runs that were cut off'],
  ...['attempts failed', 'attempts lost', 'attempts timed_out', 'runs handed back', 'tasks that ran more than once'],
  ...['exclusive pairs compared', 'dependencies compared', 'priorities compared', 'delays compared'],
  ...['tasks that expired', 'ends of a worker', 'ends of a master', 'ends of a gateway', 'ends of a zookeeper'],
  ...['processes asked what they hold', 'pictures of masters compared'],
];

/** Counts that are to be there, and are not. A run of a minute need not have them all. */
export function neverExercised({ exercised }: Verdict): string[] {
  return wanted.filter((what) => !exercised[what]);
}

// Loaded into each of our processes of an overload run (NODE_OPTIONS): at SIGUSR2 everything that can be collected is, and a line of
// the log says what is left. Only so can be told what is held from what is merely not collected yet.

import { isMainThread } from 'node:worker_threads';
import { collectGarbage } from '../../test/support/collect-garbage.ts';

/** Of the log line. */
export const collectedMessage = 'what is left in memory';

let collections = 0;

// Handlers run in threads, which get no signals.
if (isMainThread) {
  process.on('SIGUSR2', () => {
    void collectGarbage().then(() => {
      collections += 1;
      const { heapUsed, external, rss } = process.memoryUsage();
      const line = { level: 30, msg: collectedMessage, collections, heapUsed, external, rss };
      process.stdout.write(`${JSON.stringify(line)}\n`);
    });
  });
}

// Goal: where no thread can start, each run fails and says why, what waits in line included, and no threads are started for ever.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLog } from '../../runtime/log.ts';
import { handlerLimits } from '../../services/worker/handlers/handler-limits.ts';
import { HandlerThreads } from '../../services/worker/handlers/handler-threads.ts';
import { anyRun } from '../support/any-run.ts';
import { temporaryFolder } from './worker-handlers-support.ts';

test('threads that cannot start fail the runs that wait for them, each of them', async (t) => {
  const lines: string[] = [];
  const log = createLog('test', 'error', { write: (line: string) => void lines.push(line) });
  // Not enough heap for node's own modules.
  const threads = new HandlerThreads({ threadsMax: 2, abortGraceMs: 100, heapMb: 1, env: {}, log });
  t.after(() => threads.close());
  const modulePath = join(await temporaryFolder(t), 'never-loaded.js');
  const run = () => {
    const { signal } = new AbortController();
    return threads.run(modulePath, null, { ...anyRun, signal, endNow: signal, progress: () => undefined });
  };
  const runs = Array.from({ length: 10 }, run);
  const why = /the thread of the handler ended: Worker terminated due to reaching memory limit/;
  for (const each of runs) await assert.rejects(each, why);
  const starts = lines.filter((line) => line.includes('a handler thread could not start')).length;
  assert.ok(starts > 0 && starts <= runs.length * handlerLimits.threadStartsMax, `${starts}`);
  await assert.rejects(run(), why); // and so does who comes later
});

// Goal: a user's handler gets what the contract promises, and whatever it does costs only itself: not the main thread, not
// its neighbours, not the run that comes after it. Method: real modules in real threads.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Json, Progress } from '../../domain/task.ts';
import { createLog } from '../../runtime/log.ts';
import { createHandlerRegistry, HandlerSetupError } from '../../services/worker/handler-registry.ts';
import type { FailureData } from '../../services/worker/handlers/handler-failure.ts';
import { handlerLimits } from '../../services/worker/handlers/handler-limits.ts';
import { RunStop } from '../../services/worker/run-stop.ts';
import { anyRun } from '../support/any-run.ts';
import { attempt, firstProgress, startRegistry, temporaryFolder } from './worker-handlers-support.ts';

const wait = 'export default (ms) => new Promise((resolve) => setTimeout(resolve, ms, "waited"));';
const block = 'export default (_, { progress }) => { progress(1); while (true); };';

async function failureOf(run: ReturnType<typeof attempt>) {
  const result = await run;
  assert.equal(result.kind, 'failed', JSON.stringify(result));
  return result as Extract<typeof result, { kind: 'failed' }>;
}

test('a handler gets payload and context, as an ES module and as CommonJS', async (t) => {
  const registry = await startRegistry(t, {
    'es.js': `export default async (payload, { signal, progress, ...facts }) =>
      ({ payload, facts, aborted: signal.aborted, progress: typeof progress });`,
    'common.js': 'module.exports = (payload) => payload;',
    'compiled.js': 'exports.__esModule = true; exports.default = (payload) => payload;',
  });
  assert.deepEqual(registry.types, ['echo', 'sleep', 'common', 'compiled', 'es']);
  assert.deepEqual(await attempt(registry, 'es', { a: [1, null, 'x'] }), {
    kind: 'succeeded',
    result: {
      payload: { a: [1, null, 'x'] },
      facts: anyRun as unknown as Json,
      aborted: false,
      progress: 'function',
    },
  });
  for (const type of ['common', 'compiled']) {
    assert.deepEqual(await attempt(registry, type, 'x'), { kind: 'succeeded', result: 'x' });
  }
});

test('what a handler throws fails the attempt and keeps its wishes', async (t) => {
  const registry = await startRegistry(t, {
    'throws.js': `export default (wishes) => { throw Object.assign(new Error('no'), wishes); };`,
  });
  const run = await failureOf(attempt(registry, 'throws', { retryable: false, retryAfterMs: 500 }));
  assert.deepEqual(run, {
    kind: 'failed',
    error: { code: 'handler_error', message: 'no' },
    retryable: false,
    retryAfterMs: 500,
  });
  assert.equal((await failureOf(attempt(registry, 'throws', {}))).retryable, true);
});

test('stack and causes come out of the thread, cut to their bound, and so do wishes that are none', async (t) => {
  const registry = await startRegistry(t, {
    'deep.js': `export default (wishes) => {
      const cause = new TypeError('the socket broke', { cause: { reason: () => 'no data' } });
      throw Object.assign(new Error('no', { cause: new AggregateError([cause], 'all of them') }), wishes);
    };`,
    'long.js': `export default () => { throw new RangeError('x'.repeat(100_000)); };`,
    'text.js': `export default () => { throw 'just text'; };`,
    'exit.js': `export default () => { setImmediate(() => { throw new Error('out of turn'); }); return new Promise(() => {}); };`,
  });
  const failures: FailureData[] = [];
  const failing = async (type: string, payload: Json = null) => {
    const result = await failureOf(attempt(registry, type, payload, { onFailure: (each) => failures.push(each) }));
    assert.deepEqual(Object.keys(result.error), ['code', 'message'], 'nothing more for the tree');
    return failures.at(-1) as FailureData;
  };
  const { stack, ignored } = await failing('deep', { retryAfterMs: 'soon', retryable: 'false' });
  const places = [
    /^Error: no\n +at .*deep\.js:3:/,
    /\ncaused by: AggregateError: all of them\n +at .*deep\.js:3:/,
    /\none of its errors: TypeError: the socket broke\n +at .*deep\.js:2:/,
    /\ncaused by: \{ reason: \[Function: reason\] \}$/,
  ];
  for (const place of places) assert.match(stack, place);
  assert.deepEqual(ignored, [
    "retryable is 'false', which is neither true nor false",
    "retryAfterMs is 'soon', which is no number of milliseconds from 0 on",
  ]);
  assert.equal((await failing('long')).stack.length, handlerLimits.failureStackCharactersMax);
  assert.equal((await failing('text')).stack, 'just text');
  assert.match((await failing('exit')).stack, /^Error: out of turn\n +at .*exit\.js:1:/);
  assert.equal(failures.length, 4);
});

test('a result that is not JSON is refused', async (t) => {
  const registry = await startRegistry(t, {
    'odd.js': `export default (what) => ({ nan: NaN, big: 1n, code: () => 1, large: 'x'.repeat(300000), none: undefined })[what];`,
  });
  for (const what of ['nan', 'big', 'code', 'large']) {
    assert.equal((await failureOf(attempt(registry, 'odd', what))).error.code, 'invalid_result', what);
  }
  assert.deepEqual(await attempt(registry, 'odd', 'none'), { kind: 'succeeded', result: null });
});

test('a handler that blocks its loop is ended at its timeout; its neighbour and the main thread go on', async (t) => {
  const registry = await startRegistry(t, { 'block.js': block, 'wait.js': wait }, { abortGraceMs: 50 });
  const { onProgress, reached } = firstProgress();
  const blocked = attempt(registry, 'block', null, { timeoutMs: 2000, onProgress });
  await reached;
  const order: string[] = [];
  const neighbour = attempt(registry, 'wait', 20).then((result) => {
    order.push('neighbour');
    return result;
  });
  const run = await blocked.finally(() => {
    order.push('blocked');
  });
  assert.deepEqual(run, { kind: 'timed_out' });
  assert.deepEqual(await neighbour, { kind: 'succeeded', result: 'waited' });
  assert.deepEqual(order, ['neighbour', 'blocked']);
});

test('exit, memory, unhandled rejection and a throw out of turn fail only their own run', async (t) => {
  const registry = await startRegistry(
    t,
    {
      'exit.js': 'export default () => process.exit(7);',
      'memory.js': 'export default () => { const all = []; while (true) all.push(new Array(1000).fill(0)); };',
      'rejects.js': `export default () => { Promise.reject(new Error('unseen')); return new Promise(() => {}); };`,
      'throws-later.js': `export default () => { setImmediate(() => { throw new Error('later'); }); return new Promise(() => {}); };`,
      'wait.js': wait,
    },
    { threadHeapMb: 32 },
  );
  const neighbour = attempt(registry, 'wait', 300);
  const messages = [
    ['exit', /process\.exit\(7\)/],
    ['memory', /memory limit/],
    ['rejects', /unseen/],
    ['throws-later', /later/],
  ] as const;
  for (const [type, message] of messages) {
    const run = await failureOf(attempt(registry, type));
    assert.equal(run.error.code, 'handler_error', type);
    assert.equal(run.retryable, true, type);
    assert.match(run.error.message, message);
  }
  assert.deepEqual(await neighbour, { kind: 'succeeded', result: 'waited' });
});

test('what one run leaves behind does not cost the next one in its thread', async (t) => {
  const registry = await startRegistry(t, {
    'untidy.js': `export default () => {
      setTimeout(() => { throw new Error('timer'); }, 20);
      new Promise((resolve) => setTimeout(resolve, 20)).then(() => { throw new Error('promise'); });
      return 'fine';
    };`,
    'wait.js': wait,
  });
  assert.deepEqual(await attempt(registry, 'untidy'), { kind: 'succeeded', result: 'fine' });
  assert.deepEqual(await attempt(registry, 'wait', 100), { kind: 'succeeded', result: 'waited' });
});

test('the abort reaches the handler with its reason, and the run waits for it to settle', async (t) => {
  const registry = await startRegistry(t, {
    'tidy.js': `export default (_, { signal, progress }) => new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => { progress(90, signal.reason.name); setTimeout(reject, 20, signal.reason); });
      progress(10);
    });`,
  });
  const { onProgress, reached } = firstProgress();
  const seen: Progress[] = [];
  const runStop = new RunStop();
  const run = attempt(registry, 'tidy', null, {
    runStop,
    onProgress: (progress) => {
      seen.push(progress);
      onProgress(progress);
    },
  });
  await reached;
  const why = { kind: 'withdrawn', reason: 'cancelled' } as const;
  runStop.stop(why);
  assert.deepEqual(await run, { kind: 'aborted', why });
  assert.deepEqual(seen[0], { percent: 10, message: null });
});

test('a handler that ignores the abort is ended after the grace, on a lost session at once', async (t) => {
  const graceful = await startRegistry(t, { 'block.js': block }, { abortGraceMs: 100 });
  const patient = await startRegistry(t, { 'block.js': block }, { abortGraceMs: 3_600_000 });
  const ends = [
    [graceful, { kind: 'shutdown' }],
    [patient, { kind: 'session_lost' }],
  ] as const;
  for (const [registry, why] of ends) {
    const { onProgress, reached } = firstProgress();
    const runStop = new RunStop();
    const run = attempt(registry, 'block', null, { runStop, onProgress });
    await reached;
    runStop.stop(why);
    assert.deepEqual(await run, { kind: 'aborted', why });
  }
});

test('an abort before the thread has started ends the run', async (t) => {
  const registry = await startRegistry(t, { 'wait.js': wait }, { abortGraceMs: 0 });
  const runStop = new RunStop();
  const run = attempt(registry, 'wait', 3_600_000, { runStop });
  runStop.stop({ kind: 'shutdown' });
  assert.equal((await run).kind, 'aborted');
});

test('runs that are ended while their threads start, at whatever moment, cost nobody else anything', async (t) => {
  // V8 ends the process where a thread is ended in the middle of loading modules; it took about one in a hundred to see that.
  const registry = await startRegistry(t, { 'wait.js': wait });
  for (let round = 0; round < 12; round++) {
    const runs = Array.from({ length: 8 }, (_, i) => {
      const runStop = new RunStop();
      setTimeout(() => runStop.stop({ kind: 'session_lost' }), round * 8 + i);
      return attempt(registry, 'wait', 60_000, { runStop });
    });
    for (const run of await Promise.all(runs)) assert.equal(run.kind, 'aborted');
  }
  assert.equal((await attempt(registry, 'wait', 1)).kind, 'succeeded');
});

test('closing waits for threads that are just starting', async (t) => {
  for (let round = 0; round < 8; round++) {
    const registry = await startRegistry(t, { 'wait.js': wait });
    const runs = Array.from({ length: 4 }, () => attempt(registry, 'wait', 3_600_000));
    await new Promise((resolve) => setTimeout(resolve, round * 10));
    await registry.close();
    for (const run of await Promise.all(runs)) assert.equal(run.kind, 'failed');
  }
});

test('a thread sees the environment without our settings, and prints to stderr', async (t) => {
  const environment = { HOME: '/home/x', ZOOKEEPER_CONNECT: 'secret', WORKER_ID: 'w', DATABASE_URL: 'mine' };
  const registry = await startRegistry(
    t,
    { 'env.js': 'export default () => { console.log("to stderr"); return { ...process.env }; };' },
    { environment },
  );
  const result = await attempt(registry, 'env');
  assert.deepEqual(result, { kind: 'succeeded', result: { HOME: '/home/x', DATABASE_URL: 'mine' } as Json });
});

test('many runs at a time, each in a thread of its own', async (t) => {
  const registry = await startRegistry(t, {
    'thread.js': `import { threadId } from 'node:worker_threads';
      export default (ms) => new Promise((resolve) => setTimeout(resolve, ms, threadId));`,
  });
  const runs = await Promise.all(Array.from({ length: 8 }, () => attempt(registry, 'thread', 50)));
  const threads = new Set(runs.map((run) => (run.kind === 'succeeded' ? run.result : run.kind)));
  assert.equal(threads.size, 8);
});

test('closing ends what still runs', async (t) => {
  const registry = await startRegistry(t, { 'block.js': block });
  const { onProgress, reached } = firstProgress();
  const run = attempt(registry, 'block', null, { onProgress });
  await reached;
  await registry.close();
  assert.equal((await run).kind, 'failed');
});

test('modules that cannot be handlers are named at start, all at once', async (t) => {
  const faulty = startRegistry(
    t,
    {
      'broken.js': 'export default async () => {',
      'throws.js': 'throw new Error("cannot load"); export default 1;',
      'value.js': 'export default 42;',
      'named.mjs': 'export const handler = () => 1;',
      'shell.js': 'export default () => 1;',
      'fine.js': 'export default () => 1;',
    },
    { httpHandlerHosts: ['http://x'] },
  );
  await assert.rejects(faulty, (error) => {
    assert.ok(error instanceof HandlerSetupError);
    const faults = error.faults.join('\n');
    assert.equal(error.faults.length, 6, faults);
    assert.match(faults, /throws\.js: cannot load; mend it/);
    assert.match(faults, /value\.js: it has no default export that is a function/);
    assert.match(faults, /shell\.js: "shell" is a built-in/);
    assert.match(faults, /HTTP_HANDLER_HOSTS/);
    return true;
  });
});

test('a run that waits for a thread is given one when that ends, however it ends', async (t) => {
  const exit = `export default (_, { progress }) => {
    progress(1);
    setTimeout(() => process.exit(1), 50);
    return new Promise(() => {});
  };`;
  const modules = { 'block.js': block, 'exit.js': exit, 'wait.js': wait };
  const registry = await startRegistry(t, modules, { abortGraceMs: 50, concurrency: 1 });
  for (const type of ['block', 'exit']) {
    const { onProgress, reached } = firstProgress();
    const ending = attempt(registry, type, null, { timeoutMs: 500, onProgress });
    await reached;
    const waiting = attempt(registry, 'wait', 20);
    await ending;
    assert.deepEqual(await waiting, { kind: 'succeeded', result: 'waited' }, type);
  }
});

test('what a thread throws just when its run is ended concerns nobody else, and is no fault to be told', async (t) => {
  const thrown = join(await temporaryFolder(t), 'thrown');
  const told: unknown[] = [];
  const log = Object.assign(createLog('test', 'silent'), { error: (...line: unknown[]) => told.push(line) });
  const throwing = `import { writeFileSync } from 'node:fs';
    export default (_, { progress }) => {
      progress(1);
      setTimeout(() => {
        writeFileSync(${JSON.stringify(thrown)}, '');
        throw new Error('out of turn');
      }, 20);
      return new Promise(() => {});
    };`;
  const registry = await startRegistry(t, { 'throwing.mjs': throwing, 'wait.js': wait }, { concurrency: 1, log });
  const runStop = new RunStop();
  const { onProgress, reached } = firstProgress();
  const run = attempt(registry, 'throwing', null, { runStop, onProgress });
  const next = attempt(registry, 'wait', 20);
  await reached;
  // What the thread has sent is not heard of: as in a process that goes on after a freeze.
  for (let until = Infinity; performance.now() < until; ) {
    if (until === Infinity && existsSync(thrown)) until = performance.now() + 200;
  }
  runStop.stop({ kind: 'session_lost' });
  await run;
  assert.deepEqual(await next, { kind: 'succeeded', result: 'waited' });
  assert.deepEqual(told, []);
});

test('a registry without modules has only the built-in handlers that are on', async (t) => {
  const log = createLog('test', 'silent');
  const config = { handlersDir: null, shellHandler: true, httpHandlerHosts: ['localhost'], concurrency: 1, log };
  const registry = await createHandlerRegistry(config);
  t.after(() => registry.close());
  assert.deepEqual(registry.types, ['echo', 'sleep', 'http', 'shell']);
  assert.deepEqual(await attempt(registry, 'echo', { a: 1 }), { kind: 'succeeded', result: { a: 1 } });
  assert.deepEqual(await attempt(registry, 'sleep', { ms: 1 }), { kind: 'succeeded', result: null });
  assert.equal((await failureOf(attempt(registry, 'sleep', { ms: 'x' }))).error.code, 'invalid_task');
  assert.equal((await failureOf(attempt(registry, 'sleep', { ms: 1, extra: 2 }))).retryable, false);
  assert.deepEqual(await attempt(registry, 'sleep', { ms: 3_600_000 }, { timeoutMs: 20 }), { kind: 'timed_out' });
  const unknown = await failureOf(attempt(registry, 'nobody'));
  assert.deepEqual([unknown.error.code, unknown.retryable], ['handler_error', true]);
});

test('an unused registry does not keep the process alive', async (t) => {
  const { spawn } = await import('node:child_process');
  const registryUrl = new URL('../../services/worker/handler-registry.js', import.meta.url).href;
  const script = `import { createHandlerRegistry } from ${JSON.stringify(registryUrl)};
    const log = { warn() {}, error() {} };
    const registry = await createHandlerRegistry({ handlersDir: null, shellHandler: true, httpHandlerHosts: [], concurrency: 1, log });
    registry.renewLease(1e15);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' });
  t.after(() => child.kill('SIGKILL'));
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

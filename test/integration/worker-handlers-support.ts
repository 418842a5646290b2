// What the tests of handlers share: a registry with modules of its own, attempts on it, and a pipe that tells when
// the last process of a command is gone.

import { execFileSync } from 'node:child_process';
import { constants, openSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { Json, Progress } from '../../domain/task.ts';
import { createLog } from '../../runtime/log.ts';
import {
  createHandlerRegistry,
  type HandlerRegistry,
  type HandlerRegistryConfig,
} from '../../services/worker/handler-registry.ts';
import type { FailureData } from '../../services/worker/handlers/handler-failure.ts';
import { RunStop } from '../../services/worker/run-stop.ts';
import { type AttemptResult, runAttempt } from '../../services/worker/task-runner.ts';
import { anyRun } from '../support/any-run.ts';

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'taskkeeper-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** `modules` are file names with their text. */
export async function startRegistry(
  t: TestContext,
  modules: Readonly<Record<string, string>>,
  config: Partial<HandlerRegistryConfig> = {},
): Promise<HandlerRegistry> {
  const handlersDir = await temporaryFolder(t);
  for (const [name, text] of Object.entries(modules)) await writeFile(join(handlersDir, name), text);
  const registry = await createHandlerRegistry({
    handlersDir,
    shellHandler: false,
    httpHandlerHosts: [],
    concurrency: 8,
    log: createLog('test', 'silent'),
    ...config,
  });
  t.after(() => registry.close());
  return registry;
}

export interface AttemptOptions {
  readonly timeoutMs?: number;
  readonly runStop?: RunStop;
  readonly onProgress?: (progress: Progress) => void;
  readonly onFailure?: (failure: FailureData) => void;
}

export function attempt(
  registry: HandlerRegistry,
  type: string,
  payload: Json = null,
  options: AttemptOptions = {},
): Promise<AttemptResult> {
  return runAttempt({
    registry,
    type,
    payload,
    context: anyRun,
    timeoutMs: options.timeoutMs ?? 30_000,
    runStop: options.runStop ?? new RunStop(),
    onProgress: options.onProgress ?? (() => undefined),
    onFailure: options.onFailure ?? (() => undefined),
  });
}

/** Resolves with the first progress: the handler is at that point. */
export function firstProgress() {
  let onProgress: (progress: Progress) => void = () => undefined;
  const reached = new Promise<Progress>((resolve) => {
    onProgress = resolve;
  });
  return { onProgress, reached };
}

export interface LivenessPipe {
  /** Shell text that opens the pipe for the command and all its children, and reports that it runs. */
  readonly prelude: string;
  /** The command has begun. */
  readonly begun: Promise<void>;
  /** No process holds the pipe any more: all of them are dead. */
  readonly ended: Promise<void>;
}

export async function livenessPipe(t: TestContext): Promise<LivenessPipe> {
  const path = join(await temporaryFolder(t), 'alive');
  execFileSync('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const reader = new Socket({ fd, readable: true, writable: false });
  t.after(() => reader.destroy());
  const begun = new Promise<void>((resolve) => reader.once('data', () => resolve()));
  const ended = new Promise<void>((resolve) => reader.once('end', resolve));
  return { prelude: `exec 9>${path}; echo up >&9;`, begun, ended };
}

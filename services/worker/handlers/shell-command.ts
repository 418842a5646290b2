// One command as a process group of its own. It is started held: a prologue waits for a line on an inherited pipe before
// it becomes the command, and ends if that pipe closes. So a worker that dies between starting a command and telling the
// guardian leaves nothing behind.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { invariant } from '../../../domain/invariant.ts';
import { limits } from '../../../domain/limits.ts';
import { HandlerFailure } from './handler-failure.ts';
import { handlerLimits } from './handler-limits.ts';
import type { OutputPipe, OutputPipes } from './output-pipes.ts';
import { OutputCapture } from './shell-output.ts';

// `read` is a builtin and takes byte by byte, the command is a parameter and so is never parsed here, and descriptor 3 is
// closed before the command begins.
const prologue = 'read -r go <&3 || exit 125; exec 3<&-; exec /bin/sh -c "$1"';

export interface CommandExit {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ShellCommand {
  readonly group: number;
  /** Lets the command itself begin. */
  readonly begin: () => void;
  /** Resolves when the command, not necessarily all of its group, has ended. */
  readonly exited: Promise<CommandExit>;
  readonly stdout: OutputCapture;
  readonly stderr: OutputCapture;
  /** To be called when the group has ended: resolves when what it printed has been read. */
  readonly drain: () => Promise<void>;
}

/** Starts `command` held. Throws a {@link HandlerFailure}, retryable, where this host cannot start a process now. */
export async function startHeld(
  command: string,
  env: Record<string, string>,
  pipes: OutputPipes,
): Promise<ShellCommand> {
  const outputPipes = [await pipes.take(), await pipes.take()] as const;
  const child = spawnShell(command, env, outputPipes);
  if (child.pid === undefined) {
    for (const pipe of outputPipes) if (pipe) closeSync(pipe.readEnd);
    const [error] = (await once(child, 'error')) as [Error];
    throw cannotStart(error);
  }
  const go = child.stdio[3] as Writable;
  // A prologue that was killed before it read.
  go.on('error', () => undefined);
  const streams = [readerOf(outputPipes[0], child.stdout), readerOf(outputPipes[1], child.stderr)] as const;
  const stdout = capture(streams[0], new OutputCapture(limits.shellOutputBytesMax, 0));
  const stderr = capture(streams[1], new OutputCapture(limits.shellOutputBytesMax, handlerLimits.shellErrorTailBytes));
  return {
    group: child.pid,
    begin: () => go.end('go\n'),
    // Not `close`, for which a process in the background that keeps stdout open would make us wait.
    exited: new Promise((resolve) => child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }))),
    stdout,
    stderr,
    drain: () => drain(streams, [stdout, stderr]),
  };
}

function spawnShell(
  command: string,
  env: Record<string, string>,
  [stdout, stderr]: readonly [OutputPipe | null, OutputPipe | null],
): ChildProcess {
  try {
    return spawn('/bin/sh', ['-c', prologue, 'sh', command], {
      detached: true,
      stdio: ['ignore', stdout?.writeEnd ?? 'pipe', stderr?.writeEnd ?? 'pipe', 'pipe'],
      env,
    });
  } catch (error) {
    for (const pipe of [stdout, stderr]) if (pipe) closeSync(pipe.readEnd);
    throw cannotStart(error as Error);
  } finally {
    // The command has its own copies; ours would keep the pipes from ending.
    for (const pipe of [stdout, stderr]) if (pipe) closeSync(pipe.writeEnd);
  }
}

function readerOf(pipe: OutputPipe | null, stream: Readable | null): Readable {
  if (pipe) return new Socket({ fd: pipe.readEnd, readable: true, writable: false });
  invariant(stream, 'a process that was started with pipes has their streams');
  return stream;
}

function cannotStart(error: Error): HandlerFailure {
  return new HandlerFailure('handler_error', `shell: cannot start /bin/sh: ${error.message}`);
}

function capture(stream: Readable, output: OutputCapture): OutputCapture {
  stream.on('data', (chunk: Buffer) => output.add(chunk));
  return output;
}

/**
 * With the group gone, all that it printed is in the pipes: read until two turns of the event loop bring nothing. A
 * process that left the group may hold the pipes open and go on printing, hence no waiting for their end, and a bound.
 */
async function drain(streams: readonly Readable[], outputs: readonly OutputCapture[]): Promise<void> {
  for (let turns = 0, before = -1; turns < 100; turns++) {
    if (streams.every((stream) => stream.readableEnded)) break;
    const bytes = outputs.reduce((sum, output) => sum + output.bytes, 0);
    if (bytes === before) break;
    before = bytes;
    for (let turn = 0; turn < 2; turn++) await nextTurn();
  }
  for (const stream of streams) stream.destroy();
}

// The `shell` handler (contract section 6, Shell): runs a command with /bin/sh in a process group of its own, under the
// eyes of the guardian. Resolves or rejects only when the whole group is gone. Timeout and withdrawal: SIGTERM, and SIGKILL
// two seconds later; a lost session: SIGKILL at once, in those two seconds too. What a finished command left in its group is killed.

import { limits } from '../../../domain/limits.ts';
import type { Json } from '../../../domain/task.ts';
import type { Guarded, Guardian } from './guardian.ts';
import type { Handler, HandlerContext } from './handler.ts';
import { commandEnvironment } from './handler-environment.ts';
import { HandlerFailure, invalidPayload } from './handler-failure.ts';
import { handlerLimits } from './handler-limits.ts';
import { objectPayload } from './object-payload.ts';
import type { OutputPipes } from './output-pipes.ts';
import { groupEnded, signalGroup } from './process-group.ts';
import { type CommandExit, type ShellCommand, startHeld } from './shell-command.ts';
import { shellResult } from './shell-output.ts';

/** `hostEnvironment` is the worker's own; commands get a short list out of it. */
export function shellHandler(guardian: Guardian, pipes: OutputPipes, hostEnvironment: NodeJS.ProcessEnv): Handler {
  return async (payload, context) => {
    const line = readCommand(payload);
    const command = await startHeld(line, commandEnvironment(hostEnvironment, context), pipes);
    const { exit, killedBecause } = await runGuarded(command, guardian, context);
    if (killedBecause !== null) throw new HandlerFailure('handler_error', `shell: killed: ${killedBecause}`);
    return resultOf(exit, command);
  };
}

function readCommand(payload: Json): string {
  const command =
    typeof payload === 'string'
      ? payload
      : objectPayload(payload, ['command'], '{"command": "..."} or a string').command;
  if (typeof command !== 'string') throw invalidPayload('shell: "command" must be a string');
  if (command.includes('\0'))
    throw invalidPayload('shell: the command has a NUL character, which no argument can hold');
  if (Buffer.byteLength(command) > handlerLimits.shellCommandBytesMax) {
    throw invalidPayload(`shell: the command may have ${handlerLimits.shellCommandBytesMax} bytes`);
  }
  return command;
}

type EndSignals = Pick<HandlerContext, 'signal' | 'endNow'>;

async function runGuarded(command: ShellCommand, guardian: Guardian, end: EndSignals) {
  let killedBecause: string | null = null;
  const onKilled = (why: string) => {
    killedBecause = why;
  };
  let guarded: Guarded | null = null;
  try {
    guarded = await guardian.guard(command.group, onKilled);
    if (!end.signal.aborted && killedBecause === null) {
      command.begin();
      await endedOrAborted(command, end);
    }
  } finally {
    await endGroup(command);
    guarded?.release();
  }
  await command.drain();
  return { exit: await command.exited, killedBecause };
}

/** Resolves when the command has ended by itself, or the group has had its time to end after an abort. */
async function endedOrAborted(command: ShellCommand, { signal, endNow }: EndSignals): Promise<void> {
  let onAbort = () => undefined as undefined;
  const aborted = new Promise<void>((resolve) => {
    onAbort = () => void resolve();
    signal.addEventListener('abort', onAbort, { once: true });
  });
  await Promise.race([command.exited, aborted]);
  signal.removeEventListener('abort', onAbort);
  if (!signal.aborted || endNow.aborted) return;
  if (signalGroup(command.group, 'SIGTERM') !== 'sent') return;
  await groupEnded(command.group, limits.shellTermGraceMs, endNow);
}

/** Kills what there is of the group and waits until it is gone. */
async function endGroup(command: ShellCommand): Promise<void> {
  if (signalGroup(command.group, 'SIGKILL') === 'sent') await groupEnded(command.group);
  await command.exited;
}

function resultOf({ exitCode, signal }: CommandExit, { stdout, stderr }: ShellCommand): Json {
  if (exitCode === 0) return shellResult(stdout.head(), stderr.head());
  const tail = stderr.tail().trim();
  const what = signal === null ? `the command ended with exit code ${exitCode}` : `the command was killed by ${signal}`;
  throw new HandlerFailure(signal === null ? 'exit_code' : 'signal', tail === '' ? what : `${what}: ${tail}`);
}

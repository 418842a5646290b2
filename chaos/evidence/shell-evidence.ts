// Commands for the `shell` handler that leave the same evidence as the handlers do, written by the command itself: a command has to be
// dead when its worker's session is over, whoever of the two was killed.

import { fileURLToPath } from 'node:url';

export interface ShellEvidence {
  readonly ms: number;
  /** It goes on after SIGTERM, so that only SIGKILL ends it. */
  readonly isDeaf: boolean;
  /** The shell stays, and waits for it. */
  readonly isChild: boolean;
}

/** `file` is that of the evidence. */
export function shellCommand(file: string, { ms, isDeaf, isChild }: ShellEvidence): string {
  const script = fileURLToPath(new URL('./shell-evidence-process.js', import.meta.url));
  // The parent of the shell is the worker.
  const words = [process.execPath, script, file].map(quoted).join(' ');
  const command = `${words} "$PPID" ${ms} ${isDeaf ? 'deaf' : 'obedient'}`;
  return isChild ? `${command} & wait "$!"` : `exec ${command}`;
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

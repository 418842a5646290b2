// Ends a child process when this process is gone, however it went, kill -9 included. A tiny shell waits on a pipe that
// only this process holds open: when the kernel closes it, the shell asks the child to end, and makes it end if it is
// still there after a while. Works for children of any kind, and needs nothing of them.

import { type ChildProcess, spawn } from 'node:child_process';

const watch = `
read -r _
sleep "$2"
kill -TERM "$1" 2>/dev/null
n=0
while [ $n -lt "$3" ] && kill -0 "$1" 2>/dev/null; do sleep 1; n=$((n + 1)); done
kill -KILL "$1" 2>/dev/null`;

export interface EndWithParentOptions {
  /** Waits this long before it asks: for what others still need while they stop. */
  readonly delaySeconds?: number;
  /** From asking to making it end. */
  readonly graceSeconds?: number;
}

/** `child` must have been spawned. */
export function endWithParent(child: ChildProcess, options: EndWithParentOptions = {}): void {
  const { delaySeconds = 0, graceSeconds = 5 } = options;
  const args = ['-c', watch, 'end-with-parent', String(child.pid), String(delaySeconds), String(graceSeconds)];
  const watcher = spawn('/bin/sh', args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  watcher.unref();
  // Ends first, so that it never signals a process that was given the child's old number.
  child.once('exit', () => watcher.kill('SIGKILL'));
}

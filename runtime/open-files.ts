// How many files and sockets this process may have open at a time.

import { readFileSync } from 'node:fs';

/** Null where nobody says. Node raises the soft limit of its process to the hard one, so what it says now is final. */
export function openFilesMax(limits: () => string = () => readFileSync('/proc/self/limits', 'utf8')): number | null {
  try {
    const most = /^Max open files +(\d+)/m.exec(limits())?.[1];
    return most === undefined ? null : Number(most);
  } catch {
    return null; // no Linux
  }
}

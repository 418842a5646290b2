// The modules of HANDLERS_DIR: which task types they are for, and everything that is wrong with their names, so that a worker
// with a mistake in its handlers says so at start and does not fail task after task.

import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { limits } from '../../../domain/limits.ts';

export interface HandlerModules {
  /** Absolute path by task type, in the order of the types. */
  readonly paths: ReadonlyMap<string, string>;
  /** Each a sentence: what, where, and what to do. */
  readonly faults: readonly string[];
}

/** Looks at `<type>.js` and `<type>.mjs` right in `directory`; other files, hidden ones and folders are the user's own affair. */
export async function findHandlerModules(directory: string, builtInTypes: readonly string[]): Promise<HandlerModules> {
  const paths = new Map<string, string>();
  const faults: string[] = [];
  for (const file of await moduleFiles(directory, faults)) {
    const type = file.replace(/\.m?js$/, '');
    const path = resolve(directory, file);
    const fault = faultOfType(type, builtInTypes, paths.has(type));
    if (fault) faults.push(`HANDLERS_DIR: ${path}: ${fault}`);
    else paths.set(type, path);
  }
  return { paths, faults };
}

function faultOfType(type: string, builtInTypes: readonly string[], isTaken: boolean): string | null {
  if (!new RegExp(limits.namePattern).test(type)) {
    return `${JSON.stringify(type)} cannot be a task type: rename it to 1 to 64 of A-Z a-z 0-9 . _ -`;
  }
  if (builtInTypes.includes(type)) return `"${type}" is a built-in handler: give yours another name`;
  if (isTaken) return `there is both ${type}.js and ${type}.mjs: remove one of them`;
  return null;
}

async function moduleFiles(directory: string, faults: string[]): Promise<string[]> {
  try {
    const names = await readdir(directory);
    const candidates = names.filter((name) => /\.m?js$/.test(name) && !name.startsWith('.')).sort();
    // stat and not the directory's own entry: a mounted folder may consist of symbolic links.
    const isFile = await Promise.all(candidates.map(async (name) => (await stat(join(directory, name))).isFile()));
    return candidates.filter((_, index) => isFile[index]);
  } catch (error) {
    faults.push(
      `HANDLERS_DIR: ${directory} cannot be read: ${(error as Error).message}; set it to a folder of modules`,
    );
    return [];
  }
}

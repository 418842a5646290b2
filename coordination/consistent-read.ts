// Several znodes as they were at one moment: one request of several reads (multi-read), which a server answers between two
// transactions. What merely travels together (group-read.ts) may be asked of the server in several requests. Pure.

import { CoordinationError, noNode } from './coordination-error.ts';
import { childNamesAt, dataAt, multiReadRequest, type WireRequest, type Znode } from './zookeeper-requests.ts';

export interface ZnodeWithChildren extends Znode {
  /** Names, in no order. */
  readonly children: readonly string[];
}

/** Null where there is none, `forbidden` where we may not read it. */
export type SeenZnode = ZnodeWithChildren | 'forbidden' | null;

/** Answers in the order of the paths, which are the server's. */
export function consistentReadRequest(paths: readonly string[]): WireRequest<SeenZnode[]> {
  const request = multiReadRequest(paths.flatMap((path) => [dataAt(path), childNamesAt(path)]));
  return {
    ...request,
    decode: (reader, zxid) => {
      const answers = request.decode(reader, zxid);
      return paths.map((path, place) => seenZnode(path, answers[2 * place], answers[2 * place + 1]));
    },
  };
}

function seenZnode(path: string, znode: unknown, children: unknown): SeenZnode {
  if (znode === noNode) return null;
  if (typeof znode !== 'number') return { ...(znode as Znode), children: children as string[] };
  const refusal = CoordinationError.refused(znode, `a read of ${path}`);
  if (refusal.code !== 'no_auth') throw refusal;
  return 'forbidden';
}

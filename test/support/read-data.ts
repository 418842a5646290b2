// `Session.readData` for sessions that a test plays, of what they answer to `getData`.

import type { ReadTaker } from '../../coordination/group-read.ts';
import type { Session } from '../../coordination/session.ts';
import type { Znode } from '../../coordination/zookeeper-requests.ts';

export function readDataBy(getData: (path: string) => Promise<unknown>): Session['readData'] {
  return (path: string, taker: ReadTaker<Znode>) => {
    getData(path).then(
      (znode) => taker.resolve(znode as Znode | null),
      (error: unknown) => taker.reject(error),
    );
  };
}

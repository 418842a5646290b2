// How many connections each face takes: more than may wait; but where the process may not have that many sockets open, no more than leave it its own, to
// ZooKeeper and the leading master, which otherwise could not be made again while clients hold all there are. Pure.

import { serverLimits } from './server-limits.ts';

export interface ConnectionLimits {
  readonly http: number;
  readonly grpc: number;
  /** Files and sockets that the process has to be allowed for as many as are wanted. */
  readonly filesWanted: number;
}

const { connectionsBesideWaits, connectionsRefusedAtOnce, filesBesideConnections } = serverLimits;

/** `filesMax` null: nobody knows. Where there are too few, HTTP gets two of three: each of its waits has a connection, those of gRPC share some. */
export function connectionLimits(waitsMax: number, filesMax: number | null): ConnectionLimits {
  const wanted = waitsMax + connectionsBesideWaits;
  const others = connectionsRefusedAtOnce + filesBesideConnections;
  const possible = Math.max(2, (filesMax ?? Number.POSITIVE_INFINITY) - others);
  const http = Math.min(wanted, Math.ceil((possible * 2) / 3));
  return { http, grpc: Math.min(wanted, possible - http), filesWanted: 2 * wanted + others };
}

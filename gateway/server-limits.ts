// Limits of the two servers themselves: connections, headers and idle times, so that slow or half-open clients cost
// nothing lasting. What a request may contain is domain/limits.ts. Units in the names.

import { invariant } from '../domain/invariant.ts';
import { limits } from '../domain/limits.ts';

const KiB = 1024;
const second = 1000;

export const serverLimits = {
  /** From the first byte of a request, or from the connect, to the end of its headers. */
  headersTimeoutMs: 10 * second,
  /** Until the whole request has arrived; the answer may take longer. */
  requestTimeoutMs: 30 * second,
  /** How often Node looks for requests that are past these two; they may be late by that. */
  timeoutCheckMs: 2 * second,
  /** An idle connection is kept so long: longer than common proxies do, so that they close first. */
  keepAliveTimeoutMs: 75 * second,
  /** A connection on which nothing moves, in either direction, although a request is open. */
  socketIdleTimeoutMs: 120 * second,
  headerBytesMax: 16 * KiB,
  /** Requests of one connection, sent without waiting for the answers before, that have no answer yet. */
  requestsPerConnectionMax: 16,
  /** Of answers, over both faces, that the kernel has no room for since their clients do not take them. */
  untakenBytesMax: 64 * 1024 * KiB,
  /** Of bodies that have begun to arrive over HTTP. */
  unfinishedBodyBytesMax: 64 * 1024 * KiB,
  /** An answer that is no larger goes to the kernel at once, mostly. */
  smallAnswerBytes: 64 * KiB,
  /** Connections over those that waiting requests may hold. */
  connectionsBesideWaits: 2000,
  /** Connections over all of those that are answered that there are too many; any more are closed without a word. */
  connectionsRefusedAtOnce: 100,
  /** Files and sockets that are none of clients: to ZooKeeper, the leading master, listeners, the log; and what Node itself needs. */
  filesBesideConnections: 200,
  /** A refused client has so long to send its request, and then to read what it is answered. */
  refusedLingerMs: 2 * second,
  /** Faults named in one answer; the rest only says that there are more. */
  faultsMax: 20,
  /** Connections to gRPC are bounded as those to HTTP are; streams over this one wait in the client. */
  grpcStreamsPerConnectionMax: 1000,
  grpcConnectionIdleMs: 300 * second,
  /** A gRPC client that no longer answers pings is let go. */
  grpcKeepaliveTimeMs: 60 * second,
  grpcKeepaliveTimeoutMs: 20 * second,
  /** A task with its payload, result and errors, and room for the frame. */
  grpcSendBytesMax: 4096 * KiB,
  /** Tasks that are read at the same time; others wait until it is their turn, and so long at most. */
  taskReadsAtOnce: 256,
  taskReadTurnMsMax: 5 * second,
  /** What the leading master is asked for, from the request to the end of its answer. */
  indexDeadlineMs: 2 * second,
  /** Requests, and so connections, to the leading master; others wait until it is their turn. */
  indexRequestsAtOnce: 32,
  /** Of one answer; a thousand queues or workers are a small part of that. */
  indexAnswerBytesMax: 8192 * KiB,
  /** Of one event of its stream. */
  indexLineBytesMax: 64 * KiB,
  /** A stream of events on which nothing comes, not even a sign of life, is given up. */
  indexSilenceMs: 15 * second,
  /** Two looks at a task that is not final are never closer than this, whatever the store says. */
  lookIntervalMs: 50,
  /** Refusals with the same reason and cause are logged once in this time. */
  outageLogIntervalMs: 60 * second,
  /** Pairs of reason and cause that are remembered for that. */
  outageKindsMax: 100,
  /** What is held at a shutdown may take so long; a commit in flight is done or given up well before. */
  drainMs: 15 * second,
  /** After the last answer, for its bytes and for clients that only watch health. */
  drainLingerMs: 500,
} as const;

invariant(serverLimits.socketIdleTimeoutMs > limits.waitMsMax, 'a waiting request must outlive the idle timeout');

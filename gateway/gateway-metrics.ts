// What the gateway tells Prometheus of itself. Labels are routes and methods from closed sets, never what a client
// made up, so that the number of series stays bounded.

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { type ErrorReason, errorReasons } from '../domain/errors.ts';
import { type HeldBytes, unfinishedBodies, untakenAnswers } from './held-bytes.ts';

/** Seconds: from a group commit on loopback to the longest wait. */
const durationBuckets = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export interface GatewayMetrics {
  observeHttp(method: string, route: string, status: number, seconds: number): void;
  observeGrpc(method: string, code: string, seconds: number): void;
  refused(reason: ErrorReason): void;
  httpConnectionRefused(): void;
  grpcConnectionRefused(): void;
}

/** `waiting` is asked at each scrape. */
export function createGatewayMetrics(registry: Registry, waiting: () => number): GatewayMetrics {
  const registers = [registry];
  const http = new Histogram({
    name: 'taskkeeper_http_request_duration_seconds',
    help: 'Requests over HTTP, from the headers to the last byte of the answer.',
    labelNames: ['method', 'route', 'status'],
    buckets: durationBuckets,
    registers,
  });
  const grpc = new Histogram({
    name: 'taskkeeper_grpc_call_duration_seconds',
    help: 'Calls over gRPC.',
    labelNames: ['method', 'code'],
    buckets: durationBuckets,
    registers,
  });
  const refusals = refusalCounter(registry);
  const refusedBy = (face: 'http' | 'grpc') =>
    new Counter({
      name: `taskkeeper_${face}_connections_refused_total`,
      help: 'Connections refused because there were too many.',
      registers,
    });
  const httpRefused = refusedBy('http');
  const grpcRefused = refusedBy('grpc');
  new Gauge({
    name: 'taskkeeper_waiting_requests',
    help: 'Requests that wait for a task to become final.',
    registers,
    collect() {
      this.set(waiting());
    },
  });
  addHeldBytes(registry, { answers: untakenAnswers, bodies: unfinishedBodies });
  return {
    observeHttp: (method, route, status, seconds) => http.observe({ method, route, status }, seconds),
    observeGrpc: (method, code, seconds) => grpc.observe({ method, code }, seconds),
    refused: (reason) => refusals.inc({ reason }),
    httpConnectionRefused: () => httpRefused.inc(),
    grpcConnectionRefused: () => grpcRefused.inc(),
  };
}

function addHeldBytes(registry: Registry, held: Readonly<Record<string, HeldBytes>>): void {
  new Gauge({
    name: 'taskkeeper_held_bytes',
    help: 'Bytes of answers that clients do not take, and of bodies that have not arrived as a whole.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const [kind, { bytes }] of Object.entries(held)) this.set({ kind }, bytes);
    },
  });
  new Counter({
    name: 'taskkeeper_slow_clients_ended_total',
    help: 'Clients for whom bytes were held for longest when there were too many: their connections were closed.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      this.reset();
      for (const [kind, { letGo }] of Object.entries(held)) this.inc({ kind }, letGo);
    },
  });
}

function refusalCounter(registry: Registry): Counter<'reason'> {
  const counter = new Counter({
    name: 'taskkeeper_refusals_total',
    help: 'Requests, over HTTP and gRPC, that were answered with an error, by its reason.',
    labelNames: ['reason'],
    registers: [registry],
  });
  // All from the beginning: a rate does not see the first of a series that begins with it.
  for (const reason of Object.keys(errorReasons)) counter.inc({ reason }, 0);
  return counter;
}

// What the HTTP face works with.

import type { OpenAPIV3_1 } from 'openapi-types';
import type { Registry } from 'prom-client';
import type { ScheduleApi } from '../api/schedule-api.ts';
import type { TaskApi } from '../api/task-api.ts';
import type { FailureReport } from '../failure-report.ts';
import type { GatewayMetrics } from '../gateway-metrics.ts';
import type { OwnNames } from './cross-origin.ts';

export interface HttpAppOptions {
  readonly names: OwnNames;
  readonly api: TaskApi;
  readonly schedules: ScheduleApi;
  readonly registry: Registry;
  readonly metrics: GatewayMetrics;
  readonly failures: FailureReport;
  /** Default limits.eventHeartbeatMs. */
  readonly eventHeartbeatMs?: number;
}

/** What operations work with. */
export interface HttpServices extends HttpAppOptions {
  readonly document: OpenAPIV3_1.Document;
}

// Goal: whoever runs a gateway sees why it refused requests, without a line for each of thousands, and in metrics how many.
// Method: a log that keeps its lines and a clock that is set; both faces of a gateway over a store that fails.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { credentials, type ServiceError as GrpcError, loadPackageDefinition } from '@grpc/grpc-js';
import { Registry } from 'prom-client';
import { errorReasons, ServiceError } from '../../../domain/errors.ts';
import { createFailureReport, OutageLog } from '../../../gateway/failure-report.ts';
import { createGatewayMetrics } from '../../../gateway/gateway-metrics.ts';
import { loadProtocol } from '../../../gateway/grpc/grpc-protocol.ts';
import { serverLimits } from '../../../gateway/server-limits.ts';
import type { Log } from '../../../runtime/log.ts';
import { httpClient } from '../../support/http-client.ts';
import { startTestGateway } from './gateway-harness.ts';
import { type Answer, reasonOf } from './grpc-client.ts';

interface Line {
  readonly level: 'warn' | 'error';
  readonly reason?: string;
  readonly err?: unknown;
  readonly detail?: string;
  readonly unlogged?: number;
}

function keptLog(): { log: Log; lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: Line['level']) => (line: object) => lines.push({ ...line, level });
  return { log: { warn: at('warn'), error: at('error') } as unknown as Log, lines };
}

function outage(code: string, reason = 'coordination-unavailable' as const): ServiceError {
  return new ServiceError(reason, 'ZooKeeper cannot be asked', { cause: Object.assign(new Error('gone'), { code }) });
}

it('an outage is logged with its cause, once a minute for each kind, with how many there were', () => {
  const { log, lines } = keptLog();
  let now = 5;
  const outages = new OutageLog(log, () => now);
  for (let i = 0; i < 1000; i += 1) outages.add(outage('CONNECTION_LOSS'));
  outages.add(outage('SESSION_EXPIRED'));
  outages.add(new ServiceError('no-leader', 'no master leads'));
  const seen = () =>
    lines.map(({ reason, err, detail, unlogged }) => [reason, (err as Answer)?.code ?? detail, unlogged]);
  assert.deepEqual(seen(), [
    ['coordination-unavailable', 'CONNECTION_LOSS', 0],
    ['coordination-unavailable', 'SESSION_EXPIRED', 0],
    ['no-leader', 'no master leads', 0],
  ]);
  now += serverLimits.outageLogIntervalMs - 1;
  outages.add(outage('CONNECTION_LOSS'));
  assert.equal(lines.length, 3);
  now += 1;
  outages.add(outage('CONNECTION_LOSS'));
  assert.deepEqual(seen()[3], ['coordination-unavailable', 'CONNECTION_LOSS', 1000]);
});

it('what is remembered of it is bounded', () => {
  const { log, lines } = keptLog();
  const outages = new OutageLog(log, () => 0);
  for (let code = 0; code < serverLimits.outageKindsMax; code += 1) outages.add(outage(String(code)));
  outages.add(outage('0'));
  assert.equal(lines.length, serverLimits.outageKindsMax, 'all are known');
  outages.add(outage('another'));
  outages.add(outage('0'));
  assert.equal(lines.length, serverLimits.outageKindsMax + 2, 'all were forgotten');
});

it('faults of clients are counted, and not logged; bugs are both', async () => {
  const { log, lines } = keptLog();
  const registry = new Registry();
  const report = createFailureReport(
    log,
    createGatewayMetrics(registry, () => 0),
  );
  assert.equal(report(new ServiceError('task-not-found', '')).reason, 'task-not-found');
  assert.deepEqual(lines, []);
  assert.equal(report(new TypeError('oops')).reason, 'internal-error');
  assert.deepEqual(
    lines.map(({ level, err }) => [level, String(err)]),
    [['error', 'TypeError: oops']],
  );
  const text = await registry.metrics();
  assert.match(text, /taskkeeper_refusals_total\{reason="task-not-found"\} 1/);
  assert.match(text, /taskkeeper_refusals_total\{reason="internal-error"\} 1/);
  assert.equal(text.match(/^taskkeeper_refusals_total\{/gm)?.length, Object.keys(errorReasons).length);
});

it('both faces report', async () => {
  const { log, lines } = keptLog();
  const gateway = await startTestGateway({ log });
  try {
    gateway.store.submit = async () => {
      throw outage('CONNECTION_LOSS');
    };
    const http = await httpClient(gateway.url).send('POST', '/tasks', { type: 'x' });
    assert.equal(http.status, 503);
    const { TaskService } = (loadPackageDefinition(loadProtocol()) as Answer).taskkeeper.v1;
    const client = new TaskService(gateway.grpcAddress, credentials.createInsecure());
    const error = await new Promise<GrpcError>((resolve) =>
      client.SubmitTask({ spec: { type: 'x' } }, (failure: GrpcError) => resolve(failure)),
    );
    client.close();
    assert.equal(reasonOf(error), 'coordination-unavailable');
    assert.match(await gateway.registry.metrics(), /refusals_total\{reason="coordination-unavailable"\} 2/);
    assert.deepEqual(
      lines.map(({ reason }) => reason),
      ['coordination-unavailable'],
    );
  } finally {
    await gateway.drain();
  }
});

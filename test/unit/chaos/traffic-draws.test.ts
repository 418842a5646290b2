// Goal: what the traffic draws fits the interface, says the same over HTTP and gRPC, comes of every kind, and is the same for the same seed.
// Method: a thousand submits, each given to the checks of the gateway in the forms of both faces.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { MessageTypeDefinition } from '@grpc/proto-loader';
import { evidenceTypes } from '../../../chaos/evidence/evidence-modules.ts';
import { Random } from '../../../chaos/random.ts';
import { drawSubmit } from '../../../chaos/traffic/drawn-submits.ts';
import { grpcRequestOf } from '../../../chaos/traffic/grpc-request.ts';
import { httpRequestOf } from '../../../chaos/traffic/http-request.ts';
import { type SubmitRequest, specOfTask } from '../../../chaos/traffic/request.ts';
import { parseBatch, parseSubmit } from '../../../gateway/api/request-parsing.ts';
import { loadProtocol } from '../../../gateway/grpc/grpc-protocol.ts';
import { batchOf, submitOf } from '../../../gateway/grpc/grpc-requests.ts';

const now = Date.parse('2026-06-01T12:00:00Z');
const count = 1000;

function draw(seed: string): SubmitRequest[] {
  const random = new Random(seed);
  return Array.from({ length: count }, (_, n) =>
    drawSubmit({ name: `story-${n}`, random: random.fork(String(n)), evidence: '/tmp/e', recent: 'task-0000000001' }),
  );
}

const drawn = draw('a seed');
const tasks = drawn.flatMap((submit) => submit.tasks);

describe('the submits of the traffic', () => {
  it('fit, and say the same over both faces, so that a key may go over either', async () => {
    const protocol = loadProtocol();
    for (const request of drawn) {
      const keyed = { ...request, key: 'a key' };
      assert.equal(fingerprintOverHttp(keyed, false), await fingerprintOverGrpc(keyed, protocol));
      assert.equal(fingerprintOverHttp(keyed, true), fingerprintOverHttp(keyed, false));
    }
  });

  it('have a marker of their own for each task', () => {
    assert.equal(new Set(tasks.map(({ marker }) => marker)).size, tasks.length);
    assert.deepEqual(specOfTask({ marker: 'm', type: 'quick' }), { type: 'quick', labels: { marker: 'm' } });
  });

  it('are of every kind that there is a promise about', () => {
    assert.deepEqual(new Set(tasks.map(({ type }) => type)), new Set([...evidenceTypes, 'shell']));
    for (const field of ['delayMs', 'deadlineMs', 'timeoutMs', 'exclusiveKey', 'queue', 'after'] as const) {
      assert.ok(tasks.filter((task) => task[field] !== undefined).length > count / 100, field);
    }
    assert.ok(drawn.some(({ batch }) => batch) && drawn.some(({ key }) => key === null));
  });

  it('are the same for the same seed, and others for another', () => {
    assert.deepEqual(draw('a seed'), drawn);
    assert.notDeepEqual(draw('another seed'), drawn);
  });
});

function fingerprintOverHttp(request: SubmitRequest, isOtherWay: boolean): string | null {
  const { body, headers } = httpRequestOf(request, isOtherWay);
  const parse = request.batch ? parseBatch : parseSubmit;
  return parse(JSON.parse(JSON.stringify(body)), headers['idempotency-key'] ?? null, now).fingerprint;
}

/** The message as it comes out of the wire. */
async function fingerprintOverGrpc(
  request: SubmitRequest,
  protocol: ReturnType<typeof loadProtocol>,
): Promise<string | null> {
  const { method, message } = grpcRequestOf(request);
  const type = protocol[`taskkeeper.v1.${method}Request`] as MessageTypeDefinition<object, object>;
  const read = type.deserialize(type.serialize(message));
  return (await (request.batch ? batchOf(read, now) : submitOf(read, now))).fingerprint;
}

// Goal: the record says no more of a call than is known: done, certainly not done, or unknown; and a refusal that nothing deserves stands out.
// Method: replies of each kind to calls that read and calls that write.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { failureReply } from '../../../chaos/traffic/grpc-face.ts';
import { outcomeOf, type Reply } from '../../../chaos/traffic/outcome.ts';
import type { TrafficRequest } from '../../../chaos/traffic/request.ts';
import { ServiceError as Refusal } from '../../../domain/errors.ts';
import { grpcStatusOf } from '../../../gateway/grpc/grpc-error.ts';

const get: TrafficRequest = { operation: 'get', id: 'task-0000000001', waitMs: null };
const cancel: TrafficRequest = { operation: 'cancel', id: 'task-0000000001' };
const submit: TrafficRequest = { operation: 'submit', key: null, tasks: [], batch: false, waitMs: null };
const refusal = (reason: string): Reply => ({ kind: 'refusal', reason });
const lost: Reply = { kind: 'none', mayBeSent: true, why: 'socket hang up' };

const cases: [string, TrafficRequest, Reply, string, string?][] = [
  ['a write that was answered', submit, { kind: 'answer', tasks: [], created: true }, 'yes'],
  ['a write without an answer', submit, lost, 'unknown', 'socket hang up'],
  ['a read without an answer', get, lost, 'no', 'socket hang up'],
  ['a write that was not sent', cancel, { ...lost, mayBeSent: false }, 'no', 'socket hang up'],
  ['a write whose outcome the gateway does not know', submit, refusal('outcome-unknown'), 'unknown', 'outcome-unknown'],
  ['a read whose outcome the gateway does not know', get, refusal('outcome-unknown'), 'no', 'wrong: outcome-unknown'],
  ['a refusal of the fleet', cancel, refusal('coordination-unavailable'), 'no', 'coordination-unavailable'],
  ['a refusal of this operation', cancel, refusal('task-already-final'), 'no', 'task-already-final'],
  ['a refusal of another operation', get, refusal('task-already-final'), 'no', 'wrong: task-already-final'],
  ['a request that does not fit', submit, refusal('invalid-request'), 'no', 'wrong: invalid-request'],
  [
    'another request with the same key',
    submit,
    refusal('idempotency-key-reused'),
    'no',
    'wrong: idempotency-key-reused',
  ],
  ['a bug', submit, refusal('internal-error'), 'no', 'wrong: internal-error'],
  [
    'a bug without words',
    get,
    { kind: 'nonsense', what: '500 without a problem' },
    'no',
    'wrong: 500 without a problem',
  ],
  ['a list without a leader', { operation: 'other', what: 'stats' }, refusal('no-leader'), 'no', 'no-leader'],
  ['a task without a leader', get, refusal('no-leader'), 'no', 'wrong: no-leader'],
];

describe('the outcome of a call', () => {
  for (const [name, request, reply, is, reason] of cases) {
    it(`${name}: ${is}`, () => {
      const outcome = outcomeOf(request, reply);
      assert.deepEqual([outcome.is, 'reason' in outcome ? outcome.reason : undefined], [is, reason]);
    });
  }
});

describe('an error of grpc-js', () => {
  const own = (code: status, details: string) => ({ code, details, metadata: new Metadata() }) as ServiceError;

  it('that the gateway has sent is a refusal, whatever its code', () => {
    for (const reason of ['task-not-found', 'outcome-unknown', 'internal-error'] as const) {
      const sent = grpcStatusOf(new Refusal(reason, 'No.')) as ServiceError;
      assert.deepEqual(failureReply(sent), { kind: 'refusal', reason });
    }
  });

  it('of a connection that never came about sent nothing', () => {
    const reply = failureReply(own(status.UNAVAILABLE, 'No connection established. Last error: ECONNREFUSED'));
    assert.equal(reply.kind === 'none' && reply.mayBeSent, false);
  });

  it('of a connection that broke may have sent all', () => {
    const errors: [status, string][] = [
      [status.UNAVAILABLE, 'read ECONNRESET'],
      [status.DEADLINE_EXCEEDED, 'Deadline exceeded after 10.003s'],
      [status.CANCELLED, 'Cancelled on client'],
      [status.INTERNAL, 'Received RST_STREAM with code 2 (Internal server error)'],
    ];
    for (const [code, details] of errors) {
      const reply = failureReply(own(code, details));
      assert.equal(reply.kind === 'none' && reply.mayBeSent, true, details);
    }
  });

  it('that no rule of the interface knows is nonsense', () => {
    assert.equal(failureReply(own(status.UNKNOWN, 'Error: what nobody caught')).kind, 'nonsense');
  });
});

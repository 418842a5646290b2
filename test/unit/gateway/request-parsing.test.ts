// Goal: a submit is either understood with its defaults or refused with every fault named; nothing else can come out.
// Method: examples at each bound, and any JSON at all.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ServiceError } from '../../../domain/errors.ts';
import { limits } from '../../../domain/limits.ts';
import { taskIdOf } from '../../../domain/task-id.ts';
import { parseBatch, parseSubmit } from '../../../gateway/api/request-parsing.ts';

const now = Date.parse('2026-06-01T12:00:00Z');

function spec(body: unknown) {
  return parseSubmit(body, null, now).spec;
}

function refusal(body: unknown, headerKey: string | null = null): ServiceError {
  try {
    parseSubmit(body, headerKey, now);
  } catch (error) {
    assert(error instanceof ServiceError, String(error));
    return error;
  }
  assert.fail(`accepted: ${JSON.stringify(body).slice(0, 200)}`);
}

function nested(depth: number): unknown {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth));
}

describe('a submit', () => {
  it('has the defaults of the contract', () => {
    assert.deepEqual(spec({ type: 'echo' }), {
      type: 'echo',
      payload: null,
      queue: 'default',
      priority: 0,
      runAt: null,
      timeoutMs: 3_600_000,
      maxAttempts: 3,
      backoff: { type: 'exponential', delayMs: 1000, maxDelayMs: null, jitter: true },
      labels: {},
      retentionMs: 3_600_000,
      deadlineMs: null,
      exclusiveKey: null,
      after: [],
      afterFailure: 'fail',
    });
  });

  it('keeps what it is given', () => {
    const given = {
      type: 'a.b_C-9',
      payload: { deep: [1, null, 'ü', { x: false }] },
      queue: 'mail',
      priority: -100,
      timeoutMs: 1,
      maxAttempts: 100,
      backoff: { type: 'fixed', delayMs: 0, maxDelayMs: 5, jitter: false },
      labels: { 'team/a': '' },
      retentionMs: 0,
      deadlineMs: 1,
      exclusiveKey: 'account 7',
      after: ['task-0000000001'],
      afterFailure: 'wait',
    };
    assert.deepEqual(spec(structuredClone(given)), { ...given, runAt: null });
  });

  it('fills in what a partial backoff leaves out', () => {
    const { backoff } = spec({ type: 'echo', backoff: { type: 'fixed' } });
    assert.deepEqual(backoff, { type: 'fixed', delayMs: 1000, maxDelayMs: null, jitter: true });
  });

  it('that comes after nothing says nothing of what is to happen then', () => {
    assert.equal(spec({ type: 'echo', afterFailure: 'wait' }).afterFailure, 'fail');
    assert.equal(spec({ type: 'echo', after: [], afterFailure: 'run' }).afterFailure, 'fail');
  });

  it('has its deadline, its exclusive key and its dependencies up to their bounds', () => {
    const key = '~'.repeat(limits.exclusiveKeyCharactersMax);
    const after = ids(limits.dependenciesMax);
    const given = { deadlineMs: limits.deadlineMsMax, exclusiveKey: key, after, afterFailure: 'run' };
    const { deadlineMs, exclusiveKey, after: parsed, afterFailure } = spec({ type: 'x', ...structuredClone(given) });
    assert.deepEqual({ deadlineMs, exclusiveKey, after: parsed, afterFailure }, given);
  });

  it('has a deadline beyond its start, in a batch each member', () => {
    const late = { type: 'x', delayMs: 10, deadlineMs: 11 };
    assert.equal(spec(late).runAt, now + 10);
    assert.equal(spec({ type: 'x', runAt: '2001-01-01T00:00:00Z', deadlineMs: 1 }).runAt, null);
    const batch = () => parseBatch({ tasks: [late, { ...late, deadlineMs: 10 }] }, null, now);
    assert.throws(batch, { message: /\/tasks\/1\/deadlineMs must reach beyond delayMs, or the task can never run/ });
  });

  it('starts at once, after a delay, or at a time', () => {
    assert.equal(spec({ type: 'echo', delayMs: 0 }).runAt, null);
    assert.equal(spec({ type: 'echo', delayMs: 500 }).runAt, now + 500);
    assert.equal(spec({ type: 'echo', runAt: '2026-06-01T14:00:01.5+02:00' }).runAt, now + 1500);
    assert.equal(spec({ type: 'echo', runAt: '2001-01-01T00:00:00Z' }).runAt, null);
  });
});

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, number) => taskIdOf(number));
}

describe('a submit that does not fit names the place', () => {
  const cases: [string, unknown, string][] = [
    ['no object', [], ''],
    ['null', null, ''],
    ['no type', {}, '/type'],
    ['empty type', { type: '' }, '/type'],
    ['type too long', { type: 'x'.repeat(65) }, '/type'],
    ['type with a slash', { type: 'a/b' }, '/type'],
    ['type with a newline', { type: 'a\n' }, '/type'],
    ['queue', { type: 'x', queue: 'a b' }, '/queue'],
    ['unknown field', { type: 'x', 'prio~/': 1 }, '/prio~0~1'],
    ['unknown field __proto__', JSON.parse('{"type":"x","__proto__":{"queue":"evil"}}'), '/__proto__'],
    ['priority over', { type: 'x', priority: 101 }, '/priority'],
    ['priority under', { type: 'x', priority: -101 }, '/priority'],
    ['priority broken', { type: 'x', priority: 0.5 }, '/priority'],
    ['priority as text', { type: 'x', priority: '1' }, '/priority'],
    ['timeout 0', { type: 'x', timeoutMs: 0 }, '/timeoutMs'],
    ['timeout over', { type: 'x', timeoutMs: limits.timeoutMsMax + 1 }, '/timeoutMs'],
    ['attempts 0', { type: 'x', maxAttempts: 0 }, '/maxAttempts'],
    ['attempts over', { type: 'x', maxAttempts: 101 }, '/maxAttempts'],
    ['retention over', { type: 'x', retentionMs: limits.retentionMsMax + 1 }, '/retentionMs'],
    ['retention under', { type: 'x', retentionMs: -1 }, '/retentionMs'],
    ['delay over', { type: 'x', delayMs: limits.delayMsMax + 1 }, '/delayMs'],
    ['delay under', { type: 'x', delayMs: -1 }, '/delayMs'],
    ['runAt no time', { type: 'x', runAt: 'tomorrow' }, '/runAt'],
    ['runAt as number', { type: 'x', runAt: 5 }, '/runAt'],
    ['delay and time', { type: 'x', delayMs: 0, runAt: '2030-01-01T00:00:00Z' }, '/runAt'],
    ['deadline 0', { type: 'x', deadlineMs: 0 }, '/deadlineMs'],
    ['deadline over', { type: 'x', deadlineMs: limits.deadlineMsMax + 1 }, '/deadlineMs'],
    ['deadline before the delay is over', { type: 'x', delayMs: 10_000, deadlineMs: 10_000 }, '/deadlineMs'],
    ['deadline before its time', { type: 'x', runAt: '2099-01-01T00:00:00Z', deadlineMs: 1 }, '/deadlineMs'],
    ['exclusive key empty', { type: 'x', exclusiveKey: '' }, '/exclusiveKey'],
    ['exclusive key with umlaut', { type: 'x', exclusiveKey: 'ü' }, '/exclusiveKey'],
    ['exclusive key too long', { type: 'x', exclusiveKey: 'x'.repeat(256) }, '/exclusiveKey'],
    ['after no list', { type: 'x', after: 'task-0000000001' }, '/after'],
    ['after no id', { type: 'x', after: ['task-0000000001', 'task-1/status'] }, '/after/1'],
    ['after a place outside of a batch', { type: 'x', after: [0] }, '/after/0'],
    ['after one twice', { type: 'x', after: ['task-1', 'task-2', 'task-1'] }, '/after/2'],
    ['after too many', { type: 'x', after: ids(limits.dependenciesMax + 1) }, '/after'],
    ['after failure', { type: 'x', after: ['task-1'], afterFailure: 'ignore' }, '/afterFailure'],
    ['backoff type', { type: 'x', backoff: { type: 'linear' } }, '/backoff/type'],
    ['backoff unknown', { type: 'x', backoff: { delay: 1 } }, '/backoff/delay'],
    ['backoff jitter', { type: 'x', backoff: { jitter: 'yes' } }, '/backoff/jitter'],
    ['labels no object', { type: 'x', labels: [] }, '/labels'],
    ['label value', { type: 'x', labels: { a: 1 } }, '/labels/a'],
    ['label value too long', { type: 'x', labels: { a: 'x'.repeat(257) } }, '/labels/a'],
    ['label key', { type: 'x', labels: { 'a b': '' } }, '/labels/a b'],
    ['label key empty', { type: 'x', labels: { '': '' } }, '/labels/'],
    [
      'too many labels',
      { type: 'x', labels: Object.fromEntries([...Array(17).keys()].map((i) => [`l${i}`, ''])) },
      '/labels',
    ],
    ['key empty', { type: 'x', idempotencyKey: '' }, '/idempotencyKey'],
    ['key with umlaut', { type: 'x', idempotencyKey: 'ü' }, '/idempotencyKey'],
    ['key too long', { type: 'x', idempotencyKey: 'x'.repeat(256) }, '/idempotencyKey'],
    ['payload with half a pair', { type: 'x', payload: { a: ['\ud800'] } }, '/payload/a/0'],
    ['payload name with half a pair', { type: 'x', payload: { '\udc00': 1 } }, '/payload/\udc00'],
    ['payload beyond a double', JSON.parse('{"type":"x","payload":[1e400]}'), '/payload/0'],
    ['label with half a pair', { type: 'x', labels: { a: '\ud800' } }, '/labels/a'],
  ];
  for (const [name, body, pointer] of cases) {
    it(name, () => {
      const error = refusal(body);
      assert.equal(error.reason, 'invalid-request');
      assert.deepEqual(
        error.faults.map((fault) => fault.pointer),
        [pointer],
      );
      assert.ok(error.faults[0] && error.faults[0].detail.length > 5);
      assert.ok(error.message.includes(pointer || 'the body'));
    });
  }

  it('and takes nothing from a prototype', () => {
    const { faults } = refusal(JSON.parse('{"__proto__":{"type":"x"}}'));
    assert.deepEqual(
      faults.map((fault) => fault.pointer),
      ['/type', '/__proto__'],
    );
  });

  it('and all places at once', () => {
    const { faults } = refusal({ priority: 1000, labels: { a: 1 }, nonsense: true });
    const pointers = faults.map((fault) => fault.pointer).sort();
    assert.deepEqual(pointers, ['/labels/a', '/nonsense', '/priority', '/type']);
  });

  it('but not without end', () => {
    const body = Object.fromEntries([...Array(150).keys()].map((i) => [`field${i}`, i]));
    assert.equal(refusal(body).faults.length, 20);
  });
});

describe('a batch', () => {
  const batch = (tasks: unknown[]) => parseBatch({ tasks }, null, now);
  const faultsOf = (tasks: unknown[]) => {
    try {
      batch(tasks);
    } catch (error) {
      assert.ok(error instanceof ServiceError);
      assert.equal(error.reason, 'invalid-request');
      return error.faults.map(({ pointer, detail }) => `${pointer} ${detail}`);
    }
    return [];
  };
  const x = { type: 'x' };

  it('names its own by their places, others by their ids', () => {
    const { specs } = batch([x, { ...x, after: [0] }, { ...x, after: [1, 'task-7', 0] }]);
    assert.deepEqual(
      specs.map(({ after }) => after),
      [[], [0], [1, 'task-7', 0]],
    );
  });

  it('that names a place which is not before says where, and what would do', () => {
    const must = 'must name a task before this one in the batch';
    assert.deepEqual(faultsOf([{ ...x, after: [0] }, x, x, { ...x, after: [2, 3, 4, 1e300] }]), [
      `/tasks/0/after/0 ${must} (there is none before the first)`,
      ...[1, 2, 3].map((at) => `/tasks/3/after/${at} ${must} (0 to 2)`),
    ]);
  });

  it('that names no place and no id, or one twice, says where', () => {
    const bad = [
      x,
      x,
      { ...x, after: [1, 0, 1] },
      { ...x, after: [-1] },
      { ...x, after: [0.5] },
      { ...x, after: [''] },
    ];
    assert.deepEqual(faultsOf(bad), [
      '/tasks/2/after/2 is there before already',
      '/tasks/3/after/0 must be >= 0',
      '/tasks/4/after/0 must be string or integer',
      '/tasks/5/after/0 must be the id of a task, such as task-0000000042',
    ]);
  });

  it('comes after so many others and no more, each counted once', () => {
    const all = ids(limits.batchDependenciesMax);
    const groups = Array.from({ length: 10 }, (_, group) => ({
      ...x,
      after: all.slice(group * 100, group * 100 + 100),
    }));
    assert.equal(batch([...groups, ...groups]).specs.length, 20);
    assert.deepEqual(faultsOf([...groups, { ...x, after: ['task-99999'] }]), [
      '/tasks must NOT come after more than 1000 tasks outside of the batch, all together',
    ]);
  });
});

describe('a payload', () => {
  it('may be 256 KiB of JSON and no byte more', () => {
    const text = 'ü'.repeat((limits.payloadBytesMax - 2) / 2);
    assert.equal(spec({ type: 'echo', payload: text }).payload, text);
    const error = refusal({ type: 'echo', payload: `${text}x` });
    assert.equal(error.reason, 'payload-too-large');
    assert.equal(error.faults[0]?.pointer, '/payload');
  });

  it('may be nested to a limit', () => {
    spec({ type: 'echo', payload: nested(limits.jsonDepthMax) });
    assert.match(refusal({ type: 'echo', payload: nested(limits.jsonDepthMax + 1) }).message, /nested too deeply/);
    refusal({ type: 'echo', payload: nested(200_000) });
    refusal({ type: 'echo', labels: nested(200_000) });
  });

  it('keeps a member __proto__ and changes no prototype', () => {
    const payload = JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}');
    const parsed = spec({ type: 'echo', payload });
    assert.equal(
      JSON.stringify(parsed.payload),
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    );
    assert.equal(Reflect.get({}, 'polluted'), undefined);
  });

  it('comes out as it went in, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (payload) => {
        const sent = JSON.stringify({ type: 'echo', payload });
        assert.equal(JSON.stringify(spec(JSON.parse(sent)).payload), JSON.stringify(JSON.parse(sent).payload));
      }),
    );
  });
});

describe('any JSON at all', () => {
  const names = ['type', 'payload', 'queue', 'priority', 'delayMs', 'runAt', 'labels', 'backoff', '__proto__', 'x'];
  const body = fc.oneof(
    fc.anything({ withNullPrototype: true }),
    fc.dictionary(fc.constantFrom(...names), fc.anything()),
  );
  it('is understood or refused', () => {
    fc.assert(
      fc.property(body, (value) => {
        const text = JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? Number(item) : item));
        if (text === undefined) return;
        try {
          parseSubmit(JSON.parse(text), null, now);
        } catch (error) {
          assert(error instanceof ServiceError, String(error));
          assert.ok(error.code === 'invalid_argument');
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('an idempotency key', () => {
  it('is the same from the header and from the body, and both must agree', () => {
    assert.equal(parseSubmit({ type: 'x', idempotencyKey: 'k' }, null, now).idempotencyKey, 'k');
    assert.equal(parseSubmit({ type: 'x' }, 'k', now).idempotencyKey, 'k');
    assert.equal(parseSubmit({ type: 'x', idempotencyKey: 'k' }, 'k', now).idempotencyKey, 'k');
    assert.equal(refusal({ type: 'x', idempotencyKey: 'a' }, 'b').reason, 'invalid-request');
  });

  const fingerprint = (body: object, at = now) => parseSubmit(body, 'k', at).fingerprint;

  it('compares requests after defaults, key order apart', () => {
    const plain = fingerprint({ type: 'x', payload: { a: 1, b: [1, 2] } });
    assert.equal(fingerprint({ payload: { b: [1, 2], a: 1 }, queue: 'default', type: 'x', backoff: {} }), plain);
    assert.equal(fingerprint({ type: 'x', payload: { a: 1, b: [1, 2] }, idempotencyKey: 'k', delayMs: 0 }), plain);
    assert.notEqual(fingerprint({ type: 'x', payload: { a: 1, b: [2, 1] } }), plain);
    assert.notEqual(fingerprint({ type: 'x', payload: { a: 1, b: [1, 2] }, priority: 1 }), plain);
  });

  it('knows a delayed request again when it is repeated later', () => {
    assert.equal(fingerprint({ type: 'x', delayMs: 500 }), fingerprint({ type: 'x', delayMs: 500 }, now + 60_000));
    const runAt = '2026-06-01T12:00:30Z';
    assert.equal(fingerprint({ type: 'x', runAt }), fingerprint({ type: 'x', runAt }, now + 60_000));
    assert.equal(fingerprint({ type: 'x', runAt }), fingerprint({ type: 'x', runAt: '2026-06-01T14:00:30.0+02:00' }));
    assert.notEqual(fingerprint({ type: 'x', delayMs: 500 }), fingerprint({ type: 'x', delayMs: 501 }));
  });

  it('compares what they come after, and what is to happen then', () => {
    const plain = fingerprint({ type: 'x' });
    assert.equal(fingerprint({ type: 'x', after: [], afterFailure: 'run' }), plain);
    const after = fingerprint({ type: 'x', after: ['task-1'] });
    assert.equal(fingerprint({ type: 'x', after: ['task-1'], afterFailure: 'fail' }), after);
    const others = [{ after: ['task-2'] }, { after: ['task-1'], afterFailure: 'run' }, { deadlineMs: 5 }];
    const prints = others.map((fields) => fingerprint({ type: 'x', ...fields }));
    assert.equal(new Set([plain, after, ...prints]).size, 5);
  });

  it('costs nothing where there is none', () => {
    assert.equal(parseSubmit({ type: 'x' }, null, now).fingerprint, null);
  });
});

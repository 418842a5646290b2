// Goal: no request of a megabyte, however badly formed, holds up the event loop, since heartbeats wait with everything else;
// and small mistakes are still told all at once. Method: the worst bodies known, each of which once took seconds, against
// the time in which this machine parses the same bytes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ServiceError } from '../../../domain/errors.ts';
import { limits } from '../../../domain/limits.ts';
import { parseCancel, parseQueueUpdate } from '../../../gateway/api/control-requests.ts';
import { parseBatch, parseSubmit } from '../../../gateway/api/request-parsing.ts';
import { loadProtocol, taskServiceOf, UnreadableMessage } from '../../../gateway/grpc/grpc-protocol.ts';
import { batchOf } from '../../../gateway/grpc/grpc-requests.ts';

const submit = (body: unknown) => parseSubmit(body, 'key', 0);
const batch = (body: unknown) => parseBatch(body, 'key', 0);

/** `head`, as many of `member` as go into a request, `tail`. */
function filled(head: string, member: (place: number) => string, tail: string): string {
  const members: string[] = [];
  let bytes = head.length + tail.length;
  for (let place = 0; bytes < limits.requestBodyBytesMax; place += 1) {
    members.push(member(place));
    bytes += member(place).length + 1;
  }
  return head + members.slice(0, -1).join(',') + tail;
}

function thousand(task: string): string {
  return `{"tasks":[${Array(limits.batchTasksMax).fill(task).join(',')}]}`;
}

function members(count: number, name: (place: number) => string): string {
  return Array.from({ length: count }, (_, place) => `"${name(place)}":0`).join(',');
}

const unknown = (place: number) => `"${place.toString(36)}":0`;
const worst: [string, string, (body: unknown) => unknown][] = [
  ['tasks without anything', filled('{"tasks":[', () => '{}', ']}'), batch],
  ['tasks that are numbers', filled('{"tasks":[', () => '0', ']}'), batch],
  ['unknown fields', filled('{"type":"x",', unknown, '}'), submit],
  ['unknown fields of a batch', filled('{"tasks":[],', unknown, '}'), batch],
  ['unknown fields in each task', thousand(`{${members(80, (place) => `u${place}`)}}`), batch],
  ['unknown fields of a backoff', filled('{"type":"x","backoff":{', unknown, '}}'), submit],
  ['unknown fields of a cancellation', filled('{', unknown, '}'), parseCancel],
  ['unknown settings', filled('{', unknown, '}'), parseQueueUpdate],
  ['bad labels', filled('{"type":"x","labels":{', (place) => `" ${place}":0`, '}}'), submit],
  ['good labels', filled('{"type":"x","labels":{', (place) => `"${place}":""`, '}}'), submit],
  ['bad labels in each task', thousand(`{"type":"x","labels":{${members(80, (place) => ` ${place}`)}}}`), batch],
  ['tasks to come after', filled('{"type":"x","after":[', (place) => `"${place}"`, ']}'), submit],
  [
    'tasks to come after in each task',
    thousand(`{"type":"x","after":[${Array(100).fill('"task-1"').join(',')}]}`),
    batch,
  ],
  ['places to come after in each task', thousand(`{"type":"x","after":[${[...Array(100).keys()].join(',')}]}`), batch],
  ['a list', filled('[', () => '0', ']'), submit],
  ['a payload of numbers', filled('{"type":"x","payload":[', () => '0', ']}'), submit],
  ['a name without end', `{"${'~/'.repeat(limits.requestBodyBytesMax / 2 - 10)}":0}`, submit],
  [
    'payloads of numbers, with a key',
    `{"tasks":[${Array(3)
      .fill(`{"type":"x","payload":[${Array(131_000).fill('0').join(',')}]}`)
      .join(',')}]}`,
    batch,
  ],
];

/** Milliseconds, at best of some. */
function quickest<T>(prepare: () => T, work: (prepared: T) => unknown): number {
  const times = Array.from({ length: 4 }, () => {
    const prepared = prepare();
    const startedAt = performance.now();
    work(prepared);
    return performance.now() - startedAt;
  });
  return Math.min(...times);
}

function refusal(check: () => unknown): ServiceError | null {
  try {
    check();
    return null;
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error));
    return error;
  }
}

describe('a megabyte is checked about as fast as it is parsed:', () => {
  for (const [name, text, check] of worst) {
    it(name, () => {
      const parsing = quickest(() => text, JSON.parse);
      const checking = quickest(
        () => JSON.parse(text) as unknown,
        (body) => refusal(() => check(body)),
      );
      const allowed = 4 * parsing + 30;
      assert.ok(checking < allowed, `${checking} ms to check, ${parsing} ms to parse`);
    });
  }
});

describe('faults are still told all at once', () => {
  const pointers = (check: () => unknown) => refusal(check)?.faults.map(({ pointer }) => pointer);

  it('in a task beside a payload of many members', () => {
    const body = { type: '', priority: 101, payload: Array(50_000).fill({}), labels: { ' ': '' }, backoff: { x: 1 } };
    assert.deepEqual(pointers(() => submit(body))?.sort(), ['/backoff/x', '/labels/ ', '/priority', '/type']);
  });

  it('in tasks that are far apart in a batch', () => {
    const tasks: object[] = Array.from({ length: limits.batchTasksMax }, () => ({ type: 'x' }));
    tasks[3] = { priority: 'high' };
    tasks[999] = { type: 'x', nonsense: 1 };
    const found = pointers(() => batch({ tasks }));
    assert.deepEqual(found?.sort(), ['/tasks/3/priority', '/tasks/3/type', '/tasks/999/nonsense']);
  });

  it('but of what has far too many members only that', () => {
    const crowd = Object.fromEntries(Array.from({ length: 201 }, (_, place) => [`l ${place}`, 0]));
    const faults = (check: () => unknown) =>
      refusal(check)?.faults.map(({ pointer, detail }) => `${pointer} ${detail}`);
    assert.deepEqual(
      faults(() => submit(crowd)),
      [' must NOT have more than 200 properties'],
    );
    const labels = 'labels must NOT have more than 16 properties';
    assert.deepEqual(
      faults(() => submit({ type: '', labels: crowd })),
      [`/${labels}`],
    );
    assert.deepEqual(
      faults(() => batch({ tasks: [{ type: 'x' }, { labels: crowd }] })),
      [`/tasks/1/${labels}`],
    );
  });

  it('as many as go into an answer', () => {
    const tasks = Array.from({ length: limits.batchTasksMax }, () => ({}));
    assert.equal(refusal(() => batch({ tasks }))?.faults.length, 20);
  });
});

describe('over gRPC', () => {
  const protocol = loadProtocol();
  const method = taskServiceOf(protocol)['SubmitTasks'];
  assert.ok(method);
  /** An empty message as field 1. */
  const emptySpecs = (count: number) => Buffer.alloc(2 * count, Buffer.from([0x0a, 0x00]));

  it('half a million tasks are not even decoded', () => {
    assert.ok(method.requestDeserialize(emptySpecs(500_000)) instanceof UnreadableMessage);
  });

  it('too many tasks are told so, and nothing else of them', async () => {
    const message = method.requestDeserialize(emptySpecs(limits.batchTasksMax + 1));
    await assert.rejects(batchOf(message, 0), {
      faults: [{ pointer: 'specs', detail: 'must NOT have more than 1000 items' }],
    });
  });

  it('what is no protobuf is left to the decoder, and ends', () => {
    const odd = [[0x0b], [0x0a, 0xff], [0xff], Array(300).fill(0xff), [0x08], [0x09, 1], [0x0d, 1], [0x0f]];
    for (const bytes of odd) {
      assert.ok(method.requestDeserialize(Buffer.from(bytes)) instanceof UnreadableMessage, String(bytes.slice(0, 3)));
    }
  });
});

// Goal: a stream of a task is told apart from one that broke, was refused or was left, and leaves no connection behind.
// Method: a server on loopback whose streams end in each of those ways.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Face } from '../../../chaos/traffic/face.ts';
import { httpFace } from '../../../chaos/traffic/http-face.ts';
import type { Reply } from '../../../chaos/traffic/outcome.ts';
import { wholeFile } from '../../support/cleanup.ts';
import { eventually } from '../../support/eventually.ts';

let server: Server;
let face: Face;
let answer: (response: ServerResponse) => void;
let asked: string | undefined;
const leaving = new AbortController();
let seen: (string | null)[] = [];

before(async () => {
  server = createServer((request, response) => {
    asked = request.headers['last-event-id'] as string | undefined;
    answer(response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  face = httpFace(wholeFile, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});

after(() => server.close());

beforeEach(() => {
  seen = [];
});

function watch(lastEventId: string | null = null, stays = () => true): Promise<Reply> {
  const onChange = (change: { readonly eventId: string } | null) => {
    seen.push(change?.eventId ?? null);
    return stays();
  };
  return face.watch('task-0000000001', { signal: leaving.signal, lastEventId, onChange });
}

function begin(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n');
  response.write('event: task\nid: 0-queued\ndata: {"id":"task-0000000001","state":"queued"}\n\n');
  return response;
}

async function assertNothingOpen(): Promise<void> {
  const count = () => new Promise<number>((resolve) => server.getConnections((_, open) => resolve(open)));
  await eventually('no connection is open', async () => (await count()) === 0);
}

describe('a stream of a task', () => {
  it('that ends in good order has been answered', async () => {
    answer = (response) => begin(response).end('event: reset\ndata: {}\n\n');
    assert.equal((await watch('0-queued')).kind, 'answer');
    assert.deepEqual([asked, seen], ['0-queued', ['0-queued', null]]);
    await assertNothingOpen();
  });

  it('of one that has seen the end has been answered', async () => {
    answer = (response) => response.writeHead(204).end();
    assert.equal((await watch()).kind, 'answer');
    assert.equal(asked, undefined);
  });

  it('that is refused says why', async () => {
    answer = (response) => response.writeHead(404).end('{"type":"https://problems/task-not-found"}');
    assert.deepEqual(await watch(), { kind: 'refusal', reason: 'task-not-found' });
    await assertNothingOpen();
  });

  it('that breaks has no answer', async () => {
    answer = (response) => {
      begin(response);
      setImmediate(() => response.destroy());
    };
    assert.equal((await watch()).kind, 'none');
    await assertNothingOpen();
  });

  it('that its client leaves has no answer', async () => {
    answer = begin;
    assert.equal((await watch(null, () => false)).kind, 'none');
    assert.deepEqual(seen, ['0-queued']);
    await assertNothingOpen();
  });

  it('that is ended from outside has no answer', async () => {
    answer = begin;
    const watching = watch(null, () => {
      leaving.abort();
      return true;
    });
    assert.equal((await watching).kind, 'none');
    await assertNothingOpen();
  });
});

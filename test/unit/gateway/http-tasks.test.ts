// Goal: what can be asked of tasks over HTTP is answered as the contract says: get with waits and entity tags, lists, cancel,
// delete. Method: real requests on loopback to a gateway over a store in memory; each answer is held against the document too.

import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { limits } from '../../../domain/limits.ts';
import type { TaskId } from '../../../domain/task.ts';
import { assertProblem, type HttpAnswer, type HttpClient, httpClient } from '../../support/http-client.ts';
import { startTestGateway, type TestGateway } from './gateway-harness.ts';

let gateway: TestGateway;
let http: HttpClient;

before(async () => {
  gateway = await startTestGateway();
  http = httpClient(gateway.url);
});

after(() => gateway.drain());

describe('GET /tasks/:id', () => {
  it('waits for the end, by parameter or preference', async () => {
    const id = await http.submit();
    const byParameter = http.get(`/tasks/${id}?wait=30`);
    const byPreference = http.get(`/tasks/${id}`, { Prefer: 'wait=30' });
    await gateway.store.untilWatched(2);
    gateway.store.finish(id as TaskId, 'succeeded', [1]);
    const [first, second] = await Promise.all([byParameter, byPreference]);
    assert.deepEqual([first.status, first.json.state, first.json.result], [200, 'succeeded', [1]]);
    assert.equal(first.headers['preference-applied'], undefined);
    assert.equal(second.headers['preference-applied'], 'wait=30');
    assert.equal(first.json.attempts[0].outcome, 'succeeded');
    assert.equal(first.headers['cache-control'], 'no-store');
  });

  it('ignores a preference that cannot be read and refuses such a parameter', async () => {
    const id = await http.submit();
    const answer = await http.get(`/tasks/${id}`, { Prefer: 'wait=soon' });
    assert.deepEqual([answer.status, answer.headers['preference-applied']], [200, undefined]);
    for (const query of ['wait=soon', 'wait=', 'wait=-1', 'wait=1e3', 'wait=1&wait=1']) {
      const refused = await http.get(`/tasks/${id}?${query}`);
      assertProblem(refused, 400, 'invalid-request');
      assert.match(refused.json.detail, /"wait"/);
    }
    for (const query of ['wiat=1', '__proto__=1', 'wait%00=1', '=']) {
      assertProblem(await http.get(`/tasks/${id}?${query}`), 400, 'invalid-request');
    }
  });

  it('says what a wait over the longest one came to', { timeout: 10_000 }, async () => {
    const id = await http.submit();
    const answer = http.get(`/tasks/${id}`, { Prefer: 'wait=3600' });
    await gateway.store.untilWatched();
    gateway.store.finish(id as TaskId, 'succeeded', null);
    assert.equal((await answer).headers['preference-applied'], 'wait=60');
  });

  it('ends the wait of a client that goes', { timeout: 10_000 }, async () => {
    const id = await http.submit();
    const request = httpRequest(`${gateway.url}/tasks/${id}?wait=30`);
    request.on('error', () => undefined);
    request.end();
    await gateway.store.untilWatched();
    request.destroy();
    await gateway.store.untilUnwatched();
  });

  const long = 'x'.repeat(8000);
  const none = ['nope', 'task-1', '..', '%2e%2e', '..%2f..%2fmaster', 'task-0000000000%2fstatus', '%00', '%ZZ', '%ff'];
  for (const id of [...none, 'task-9999999999', 'task-0000000000%00', `task-${'9'.repeat(5000)}`, long, 'batch%2f']) {
    it(`${id.slice(0, 40)}: 404`, async () => {
      for (const path of [`/tasks/${id}`, `/tasks/${id}/events`]) assert.equal((await http.get(path)).status, 404);
      for (const verb of ['cancel', 'retry']) {
        assert.equal((await http.send('POST', `/tasks/${id}/${verb}`)).status, 404);
      }
      assert.equal((await http.send('DELETE', `/tasks/${id}`)).status, 404);
    });
  }

  it('has HEAD, with the same headers', async () => {
    const id = await http.submit();
    const [head, get] = [await http.send('HEAD', `/tasks/${id}`), await http.get(`/tasks/${id}`)];
    assert.deepEqual([head.status, head.body], [200, '']);
    for (const name of ['etag', 'content-type', 'content-length', 'cache-control']) {
      assert.equal(head.headers[name], get.headers[name], name);
    }
  });
});

describe('the entity tag of a task', () => {
  const ask = (id: string, known: string | string[]) => http.get(`/tasks/${id}`, { 'If-None-Match': known });

  it('answers 304 for whoever knows it, in every way to say so', async () => {
    const id = await http.submit();
    const { etag = '' } = (await http.get(`/tasks/${id}`)).headers;
    for (const known of [etag, `W/${etag}`, '*', ` * `, `"a", ${etag}`, `"a,b",W/${etag} , "c"`, ['"a"', etag]]) {
      const answer = await ask(id, known);
      assert.deepEqual([answer.status, answer.body, answer.headers['etag']], [304, '', etag], String(known));
      assert.equal(answer.headers['cache-control'], 'no-store');
    }
    for (const known of ['"a"', etag.slice(1, -1), '', `"a${etag.slice(1)}`, '"*"', `w/"x"`]) {
      assert.equal((await ask(id, known)).status, 200, known);
    }
    assert.equal((await http.send('HEAD', `/tasks/${id}`, undefined, { 'If-None-Match': etag })).status, 304);
  });

  it('changes with the task, and is compared after the wait', async () => {
    const id = await http.submit();
    const { etag = '' } = (await http.get(`/tasks/${id}`)).headers;
    const waited = http.get(`/tasks/${id}?wait=30`, { 'If-None-Match': etag });
    await gateway.store.untilWatched();
    gateway.store.finish(id as TaskId, 'succeeded', null);
    assert.equal((await waited).status, 200);
    assert.equal((await ask(id, etag)).status, 200);
    assert.equal((await http.get(`/tasks/${id}?wait=1ms`, { 'If-None-Match': '*' })).status, 304);
  });

  it('is no way around a task that is not there', async () => {
    assertProblem(await ask('task-9999999999', '*'), 404, 'task-not-found');
  });
});

describe('POST /tasks/:id/cancel', () => {
  it('answers 202 with the task, and the reason becomes its message', async () => {
    const reason = 'x'.repeat(limits.cancelReasonCharactersMax);
    const id = await http.submit();
    const answer = await http.send('POST', `/tasks/${id}/cancel`, { reason });
    assert.deepEqual([answer.status, answer.json.state], [202, 'cancelled']);
    assert.deepEqual(answer.json.error, { code: 'cancelled', message: reason });
    assertProblem(await http.send('POST', `/tasks/${id}/cancel`), 409, 'task-already-final');
  });

  it('needs no body', async () => {
    for (const headers of [{}, { 'content-type': 'application/json' }, { 'content-length': '0' }]) {
      const id = await http.submit();
      assert.equal((await http.send('POST', `/tasks/${id}/cancel`, undefined, headers)).status, 202);
    }
  });

  it('refuses what it does not know, and leaves the task alone', async () => {
    const id = await http.submit();
    const tooLong = 'x'.repeat(limits.cancelReasonCharactersMax + 1);
    for (const body of [{ reason: tooLong }, { why: 'x' }, { reason: null }, { reason: '\ud800' }, null, []]) {
      assertProblem(await http.send('POST', `/tasks/${id}/cancel`, body), 400, 'invalid-request');
    }
    assertProblem(await http.send('POST', `/tasks/${id}/cancel`, 'reason=x'), 415, 'unsupported-media-type');
    assert.equal((await http.get(`/tasks/${id}`)).json.state, 'queued');
  });
});

describe('DELETE /tasks/:id', () => {
  it('removes a final task, and no other', async () => {
    const id = await http.submit();
    assertProblem(await http.send('DELETE', `/tasks/${id}`), 409, 'task-not-final');
    gateway.store.finish(id as TaskId, 'succeeded', null);
    const answer = await http.send('DELETE', `/tasks/${id}`);
    assert.deepEqual([answer.status, answer.body], [204, '']);
    assertProblem(await http.get(`/tasks/${id}`), 404, 'task-not-found');
    assertProblem(await http.send('DELETE', `/tasks/${id}`), 404, 'task-not-found');
  });
});

describe('GET /tasks', () => {
  const ids = (answer: HttpAnswer): string[] => answer.json.tasks.map((task: { id: string }) => task.id);

  it('pages from the newest to the oldest, with an end', async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i += 1) made.push(await http.submit({ type: 'paged' }));
    const seen: string[] = [];
    let query = 'type=paged&limit=2';
    for (;;) {
      const page = await http.get(`/tasks?${query}`);
      assert.equal(page.headers['cache-control'], 'no-store');
      seen.push(...ids(page));
      if (!('nextCursor' in page.json)) break;
      query = `type=paged&limit=2&cursor=${page.json.nextCursor}`;
    }
    assert.deepEqual(seen, made.reverse());
  });

  it('has filters, all of which must fit', async () => {
    const id = await http.submit({ type: 'picked', queue: 'q.1', labels: { team: 'red', 'a/b': 'x:y z' } });
    await http.submit({ type: 'picked', labels: { team: 'blue' } });
    await http.submit({ type: 'picked', labels: { team: 'red' } });
    const pick = async (query: string) => ids(await http.get(`/tasks?type=picked&${query}`)).length;
    assert.equal(await pick('label=team:red'), 2);
    assert.equal(await pick('label=team:red&label=a%2Fb:x%3Ay%20z'), 1);
    assert.equal(await pick('label=a/b:x:y+z'), 1);
    assert.equal(await pick('label=team:'), 0);
    assert.equal(await pick('queue=q.1'), 1);
    gateway.store.finish(id as TaskId, 'succeeded', null);
    assert.equal(await pick('state=succeeded&worker=worker-1'), 1);
    assert.equal(await pick('state=failed'), 0);
    assert.equal(await pick('worker=worker-2'), 0);
  });

  it('takes a limit over the largest as the largest', async () => {
    for (const limit of [limits.listLimitMax + 1, '9'.repeat(30)]) {
      assert.equal((await http.get(`/tasks?limit=${limit}`)).status, 200);
    }
  });

  const longLabel = `label=a:${'x'.repeat(limits.labelValueCharactersMax + 1)}`;
  const manyLabels = Array.from({ length: limits.labelsMax + 1 }, (_, i) => `label=a${i}:x`).join('&');
  const bad: [string, string[]][] = [
    ['state', ['state=', 'state=done', 'state=queued&state=running', 'state=Queued']],
    [
      'limit',
      ['limit=', 'limit=0', 'limit=-1', 'limit=1.5', 'limit=1e1', 'limit=0x1', 'limit=%201', 'limit=1&limit=2'],
    ],
    ['label', ['label=', 'label=team', 'label=:red', 'label=a%20b:x', longLabel, manyLabels]],
    ['cursor', ['cursor=', 'cursor=nonsense', 'cursor=%00', `cursor=${'A'.repeat(5000)}`, 'cursor=a&cursor=a']],
    ['type', ['type=', 'type=a%20b', `type=${'x'.repeat(65)}`]],
    ['queue', ['queue=..%2f', 'queue=']],
    ['schedule', ['schedule=', 'schedule=a/b']],
    ['worker', ['worker=']],
    ['lable', ['lable=a:b']],
  ];
  for (const [name, queries] of bad) {
    it(`refuses a bad ${name} and names it`, async () => {
      for (const query of queries) {
        const answer = await http.get(`/tasks?${query}`);
        assertProblem(answer, 400, 'invalid-request');
        assert.match(answer.json.detail, new RegExp(`\\b${name}\\b`), query);
      }
    });
  }

  it('is compressed for whoever takes that, from a size on', async () => {
    await http.submit({ type: 'large', payload: 'x'.repeat(5000) });
    const plain = await http.get('/tasks?type=large');
    assert.equal(plain.headers['content-encoding'], undefined);
    assert.equal(plain.headers['vary'], 'Accept-Encoding');
    const response = await fetch(`${gateway.url}/tasks?type=large`, { headers: { 'accept-encoding': 'gzip' } });
    assert.equal(response.headers.get('content-encoding'), 'gzip');
    assert.equal(await response.text(), plain.body);
    const zipped = await rawBody('/tasks?type=large');
    assert.ok(zipped.length < 1000);
    assert.equal(gunzipSync(zipped).toString(), plain.body);
    const small = await http.get('/tasks?type=none', { 'accept-encoding': 'gzip' });
    assert.equal(small.headers['content-encoding'], undefined);
    const single = await http.get(`/tasks/${plain.json.tasks[0].id}`, { 'accept-encoding': 'gzip' });
    assert.equal(single.headers['content-encoding'], undefined);
  });

  it('without a master is 503 with Retry-After, while tasks are submitted and got all the same', async () => {
    gateway.index.leading = false;
    try {
      for (const path of ['/tasks', '/workers', '/queues', '/stats', '/events']) {
        const answer = await http.get(path);
        assertProblem(answer, 503, 'no-leader');
        assert.equal(answer.headers['retry-after'], '1');
      }
      assert.equal((await http.get(`/tasks/${await http.submit()}`)).status, 200);
    } finally {
      gateway.index.leading = true;
    }
  });
});

function rawBody(path: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${gateway.url}${path}`, { headers: { 'accept-encoding': 'gzip' }, agent: false });
    request.once('response', (response) => response.toArray().then((chunks) => resolve(Buffer.concat(chunks)), reject));
    request.end();
  });
}

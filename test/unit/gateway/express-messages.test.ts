// Goal: express finds requests and answers as it would make them and changes the prototype of none, which would cost more than all
// the rest of a small request; a newer express that does so in another way is noticed here. Method: a request to a bare app.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import express from 'express';
import { messageClassesOf } from '../../../gateway/http/express-messages.ts';

it('requests and answers of an app keep the prototypes that they were made with', async (t) => {
  const app = express();
  const server = createServer(messageClassesOf(app));
  t.after(() => server.close());
  app.get('/:name', (request, response) => {
    assert.deepEqual([request.app, request.res, response.req], [app, response, request]);
    response.json({ name: request.params.name, has: request.get('host') !== undefined });
  });
  const kept = new Promise<boolean>((resolve) => {
    server.on('request', (request, response) => {
      const [ofRequest, ofResponse] = [request, response].map(Object.getPrototypeOf);
      app(request, response);
      resolve(Object.getPrototypeOf(request) === ofRequest && Object.getPrototypeOf(response) === ofResponse);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/x`, { headers: { connection: 'close' } });
  assert.deepEqual(await answer.json(), { name: 'x', has: true });
  assert.equal(await kept, true);
});

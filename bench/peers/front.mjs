// node front.mjs QUEUE REDIS_PORT: as much of our HTTP interface as the load needs, in front of another queue. Tells its parent the
// port that it listens on.

import express from 'express';

const [, , queueName, redisPort] = process.argv;
const { openQueue } = await import(`./queues/${queueName}.mjs`);
const queue = await openQueue(Number(redisPort));

const app = express();
app.disable('x-powered-by').disable('etag');
app.use(express.json({ limit: '8mb' }));
app.post('/tasks', async ({ body }, response) => {
  response.status(201).json({ id: await queue.submit(body.payload) });
});
app.post('/tasks/batch', async ({ body }, response) => {
  const ids = await queue.submitMany(body.tasks.map(({ payload }) => payload));
  response.status(201).json({ tasks: ids.map((id) => ({ id })) });
});
app.get('/tasks/:id', async ({ params, query }, response) => {
  const waitMs = Number.parseFloat(query.wait ?? '0') * 1000;
  response.json({ id: params.id, ...(await queue.result(params.id, waitMs)) });
});
app.get('/stats', async (_request, response) => {
  response.json({ tasks: { succeeded: await queue.countSucceeded() } });
});
const server = app.listen(0, '127.0.0.1', 1024, () => process.send({ port: server.address().port }));
process.on('disconnect', () => process.exit());

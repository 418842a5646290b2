// node worker.mjs QUEUE REDIS_PORT CONCURRENCY: runs the tasks of another queue, each of which gives its payload back.

const [, , queueName, redisPort, concurrency] = process.argv;
const { startWorker } = await import(`./queues/${queueName}.mjs`);
await startWorker(Number(redisPort), Number(concurrency));
process.send({ ready: true });
process.on('disconnect', () => process.exit());

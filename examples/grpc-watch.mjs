// Submits a task over gRPC and watches it to its end: `node examples/grpc-watch.mjs [host:port]`, by default
// 127.0.0.1 and GRPC_PORT or 50051. A stream that breaks off is taken up again after the last event that it brought, on a new connection.

import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { credentials, loadPackageDefinition, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const proto = fileURLToPath(new URL('../proto/taskkeeper/v1/task_service.proto', import.meta.url));
const { taskkeeper } = loadPackageDefinition(loadSync(proto, { enums: String, longs: Number }));
const client = new taskkeeper.v1.TaskService(
  process.argv[2] ?? `127.0.0.1:${process.env.GRPC_PORT ?? 50051}`,
  credentials.createInsecure(),
);

async function watch(id) {
  let lastEventId = '';
  for (;;) {
    try {
      for await (const { eventId, task } of client.WatchTask({ id, lastEventId })) {
        if (!task) continue; // a reset: the present state follows
        lastEventId = eventId;
        console.log(task.id, task.state, task.progress ? `${task.progress.percent} %` : '');
      }
      return;
    } catch (error) {
      if (error.code !== status.UNAVAILABLE) throw error;
      await pause(1000);
    }
  }
}

try {
  const submit = promisify(client.SubmitTask.bind(client));
  const { task } = await submit({
    spec: { type: 'sleep', payload: { structValue: { fields: { ms: { numberValue: 500 } } } } },
  });
  await watch(task.id);
} catch (error) {
  console.error(`${error.code} ${error.details}`);
  process.exitCode = 1;
} finally {
  client.close();
}

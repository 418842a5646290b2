// Submits a task over gRPC and waits for it: `node examples/grpc-submit.mjs [host:port]`, by default
// 127.0.0.1 and GRPC_PORT or 50051.

import { fileURLToPath } from 'node:url';
import { credentials, loadPackageDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const proto = fileURLToPath(new URL('../proto/taskkeeper/v1/task_service.proto', import.meta.url));
const { taskkeeper } = loadPackageDefinition(loadSync(proto, { enums: String }));
const client = new taskkeeper.v1.TaskService(
  process.argv[2] ?? `127.0.0.1:${process.env.GRPC_PORT ?? 50051}`,
  credentials.createInsecure(),
);

const spec = { type: 'echo', payload: { stringValue: 'hello over gRPC' } };
client.SubmitTask({ spec, wait: { seconds: 10 } }, { deadline: Date.now() + 15_000 }, (error, response) => {
  if (error) {
    console.error(`${error.code} ${error.details}`);
    process.exitCode = 1;
  } else {
    const { id, state, result } = response.task;
    console.log(id, state, result.stringValue);
  }
  client.close();
});

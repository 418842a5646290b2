// Goal: to ask for tasks that never existed costs the ensemble's leader next to nothing, however many ask. Method: a gateway's
// store on a real ZooKeeper, behind a proxy that counts what is asked of the server.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TaskId } from '../../domain/task.ts';
import { wholeFile } from '../support/cleanup.ts';
import { opcodes } from '../support/zookeeper-frames.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { proxiedStore } from './store-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);

test('thousands of reads of what is not there share a few syncs; after a cut link too they are answered', async (t) => {
  const { store, proxy } = await proxiedStore(t, zookeeper);
  let syncs = 0;
  proxy.onFrame(({ direction, opcode }) => {
    if (direction === 'toServer' && opcode === opcodes.sync) syncs += 1;
  });
  const ids = Array.from({ length: 2000 }, (_, i) => `task-${String(1_000_000 + i).padStart(10, '0')}` as TaskId);
  assert.ok((await Promise.all(ids.map((id) => store.read(id)))).every((task) => task === null));
  assert.ok(syncs > 0 && syncs <= 100, `${syncs} syncs`);
  proxy.cut();
  assert.ok((await Promise.all(ids.map((id) => store.read(id)))).every((task) => task === null));
});

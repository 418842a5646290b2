// Goal: `npm start` names what is wrong with its environment or its ports before it starts anything. Method: made-up
// environments; a port is taken for real.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { findFreePort } from '../../../scripts/ports.ts';
import { portsInUse, readStartOptions } from '../../../scripts/start-options.ts';
import { isRecent } from '../../../scripts/zookeeper-installation.ts';

test('ports by default, by variable, and a ZooKeeper of somebody else', () => {
  const dataDir = '.taskkeeper';
  const own = { httpPort: 8080, grpcPort: 50_051, zookeeperPort: 2181, zookeeperConnect: '127.0.0.1:2181', dataDir };
  assert.deepEqual(readStartOptions({}), own);
  const set = readStartOptions({ HTTP_PORT: '1', GRPC_PORT: '2', ZOOKEEPER_PORT: '3' });
  assert.deepEqual(set, { httpPort: 1, grpcPort: 2, zookeeperPort: 3, zookeeperConnect: '127.0.0.1:3', dataDir });
  const others = readStartOptions({ ZOOKEEPER_CONNECT: 'zk1:2181,zk2:2181/app', ZOOKEEPER_PORT: 'tcp://ignored' });
  assert.equal(others.zookeeperPort, null);
  assert.equal(others.zookeeperConnect, 'zk1:2181,zk2:2181/app');
});

test('faults', () => {
  assert.throws(
    () => readStartOptions({ HTTP_PORT: '0', GRPC_PORT: 'x' }),
    /HTTP_PORT=0 must be .*\nGRPC_PORT=x must be/,
  );
  assert.throws(() => readStartOptions({ HTTP_PORT: '2181' }), /must be different from each other/);
  assert.throws(() => readStartOptions({ ZOOKEEPER_CONNECT: 'zk1:port' }), /ZOOKEEPER_CONNECT=zk1:port must be/);
});

test('a port in use is named together with its variable', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const httpPort = (server.address() as AddressInfo).port;
  const options = {
    httpPort,
    grpcPort: await findFreePort(),
    zookeeperPort: await findFreePort(),
    zookeeperConnect: '',
    dataDir: '',
  };
  assert.deepEqual(await portsInUse(options), [
    `Port ${httpPort}, for the HTTP interface, is in use. Set HTTP_PORT to a free one.`,
  ]);
});

test('a ZooKeeper without persistent watches is passed over', () => {
  assert.deepEqual(
    [
      'zookeeper-3.4.13.jar',
      'zookeeper-3.5.9.jar',
      'lib/zookeeper-3.6.0.jar',
      'zookeeper-3.10.1.jar',
      'zookeeper.jar',
    ].map(isRecent),
    [false, false, true, true, true],
  );
});

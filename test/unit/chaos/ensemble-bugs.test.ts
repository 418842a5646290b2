// Goal: what a log of ZooKeeper says of a breakdown in itself is found, and what faults cause is not taken for one.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placesOf } from '../../../chaos/evidence/ensemble-bugs.ts';

const quorum = 'org.apache.zookeeper.server.quorum';

test('a null in the agreement of the servers, wherever it was met', () => {
  const log = [
    '[SyncThread:3] ERROR org.apache.zookeeper.server.ZooKeeperCriticalThread - Severe unrecoverable error, from thread : SyncThread:3',
    'java.lang.NullPointerException: Cannot invoke "java.net.Socket.isClosed()" because "this.learner.sock" is null',
    `	at ${quorum}.SendAckRequestProcessor.flush(SendAckRequestProcessor.java:67)`,
    '	at org.apache.zookeeper.server.SyncRequestProcessor.flush(SyncRequestProcessor.java:248)',
    'java.lang.NullPointerException',
    '	at java.base/java.util.Objects.requireNonNull(Objects.java:208)',
    `	at ${quorum}.Learner.syncWithLeader(Learner.java:700)`,
  ].join('\n');
  assert.deepEqual([...placesOf(log)], [`${quorum}.SendAckRequestProcessor.flush`, `${quorum}.Learner.syncWithLeader`]);
});

test('neither a broken link, a full disk, nor a null in another place', () => {
  const log = [
    'java.net.SocketException: Broken pipe',
    `	at ${quorum}.Learner.writePacketNow(Learner.java:206)`,
    'java.io.IOException: No space left on device',
    `	at ${quorum}.QuorumPeer.writeLongToFile(QuorumPeer.java:2100)`,
    'java.lang.NullPointerException',
    '	at org.apache.zookeeper.server.NIOServerCnxn.doIO(NIOServerCnxn.java:342)',
    '	at java.base/java.lang.Thread.run(Thread.java:840)',
    '[QuorumPeer[myid=3]] WARN',
    `	at ${quorum}.Learner.readPacket(Learner.java:233)`,
  ].join('\n');
  assert.deepEqual([...placesOf(log)], []);
});

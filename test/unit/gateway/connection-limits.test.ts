// Goal: each face takes more connections than may wait, and both together leave the process the sockets that it needs itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { limits } from '../../../domain/limits.ts';
import { connectionLimits } from '../../../gateway/connection-limits.ts';
import { serverLimits } from '../../../gateway/server-limits.ts';
import { openFilesMax } from '../../../runtime/open-files.ts';

const waits = limits.waitsMaxDefault;
const wanted = waits + serverLimits.connectionsBesideWaits;

test('as many as are wanted where the process may have them, or nobody says', () => {
  const { filesWanted } = connectionLimits(waits, null);
  for (const filesMax of [null, filesWanted, 1_048_576]) {
    const { http, grpc } = connectionLimits(waits, filesMax);
    assert.deepEqual([http, grpc], [wanted, wanted], `${filesMax}`);
  }
});

test('fewer where it may not, and it keeps what it needs; HTTP has as many as wait for as long as that is possible', () => {
  for (const filesMax of [connectionLimits(waits, null).filesWanted - 1, 20_000, 4096, 1024, 512]) {
    const { http, grpc } = connectionLimits(waits, filesMax);
    assert.ok(http > 100 && grpc > 50 && http + grpc < 2 * wanted, `${filesMax}`);
    const others = filesMax - http - grpc - serverLimits.connectionsRefusedAtOnce;
    assert.ok(others >= serverLimits.filesBesideConnections, `${filesMax}`);
  }
  assert.equal(connectionLimits(waits, 20_000).http, wanted);
  const { http, grpc } = connectionLimits(waits, 64);
  assert.ok(http >= 1 && grpc >= 0);
});

test('what the kernel says', () => {
  const line = (soft: string) => `Limit                     Soft Limit           Hard Limit           Units
Max processes             96141                96141                processes
Max open files            ${soft.padEnd(20)} 1048576              files
`;
  assert.equal(
    openFilesMax(() => line('20000')),
    20_000,
  );
  assert.equal(
    openFilesMax(() => line('unlimited')),
    null,
  );
  assert.equal(
    openFilesMax(() => {
      throw new Error('ENOENT');
    }),
    null,
  );
  if (process.platform === 'linux') assert.ok((openFilesMax() ?? Number.POSITIVE_INFINITY) > 0);
});

// Goal: znodes that are read together are of one moment, whatever is written meanwhile; each has its own answer, the missing and the
// forbidden too.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, openSession } from '../fault/session-harness.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startEnsemble } from '../support/zookeeper-ensemble.ts';

const ensemble = await startEnsemble(wholeFile);
const options = { sessionTimeoutMs: 10_000 };

test('what one transaction writes is never seen in parts, by any server', async (t) => {
  const { session: writer } = await openSession(t, ensemble.servers, options);
  await writer.commit([create('/one'), create('/two'), create('/two/0')]);
  let isOver = false;
  const write = async () => {
    for (let n = 1; !isOver; n += 1) {
      const data = Buffer.from(String(n));
      await writer.commit([
        { kind: 'set', path: '/one', data, version: null },
        { kind: 'remove', path: `/two/${n - 1}`, version: null },
        create(`/two/${n}`),
        { kind: 'set', path: '/two', data, version: null },
      ]);
    }
  };
  const writing = write();
  const seen = new Set<string>();
  await Promise.all(
    ensemble.servers.map(async (server) => {
      const { session } = await openSession(t, server, options);
      await session.sync('/');
      for (let look = 0; look < 300; look += 1) {
        const [one, two] = await session.readTogether(['/one', '/two']);
        assert.ok(one && two && one !== 'forbidden' && two !== 'forbidden');
        const n = one.data.toString() || '0';
        assert.deepEqual([two.data.toString() || '0', two.children, two.stat.mzxid], [n, [n], one.stat.mzxid]);
        seen.add(n);
      }
    }),
  );
  isOver = true;
  await writing;
  t.diagnostic(`${seen.size} different moments were seen`);
  assert.ok(seen.size > 20);
});

test('each has its own answer', async (t) => {
  const { session: owner } = await openSession(t, ensemble.servers, { ...options, digest: 'owner:secret' });
  await owner.commit([create('/closed', 'secret'), create('/closed/below')]);
  const { session } = await openSession(t, ensemble.servers, options);
  await session.sync('/');
  await session.commit([create('/open', 'data'), create('/open/b'), create('/open/a')]);
  const [open, missing, closed] = await session.readTogether(['/open', '/missing', '/closed']);
  assert.ok(open && open !== 'forbidden');
  assert.deepEqual([open.data.toString(), open.children.toSorted(), open.stat.numChildren], ['data', ['a', 'b'], 2]);
  assert.deepEqual([missing, closed], [null, 'forbidden']);
});

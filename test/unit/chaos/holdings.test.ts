// Goal: what a process holds is counted as its own, whichever of its sessions it is held under. Method: a fleet of which no more is there than what is asked, and
// the present process as the one that is looked at.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fleet } from '../../../chaos/fleet/fleet.ts';
import { holdingsOf } from '../../../chaos/fleet/holdings.ts';

/** With these sessions, the last one a short one that is over. */
function fleetOf(role: string, sessions: readonly bigint[], wchc: string): Fleet {
  const links = { sessions: new Set(sessions), links: [{ proxy: { connections: 1 } }, { proxy: { connections: 0 } }] };
  const metrics = async () => 'nodejs_active_resources{type="Timeout"} 3\n';
  const service = { id: 'it', role, links, metrics, process: { pid: process.pid } };
  return { services: [service], servers: [{ ask: async () => wchc }] } as unknown as Fleet;
}

test('watches of all sessions that a process had, those of statuses apart', async () => {
  const wchc = ['0x1000398', '\t/master', '\t/tasks/task-1/status', '0xffffffff00000002', '\t/keys', '0x7', '\t/x', ''];
  const fleet = fleetOf('worker', [0x1000398n, BigInt.asIntN(64, 0xffffffff00000002n), 0x5n], wchc.join('\n'));
  const held = (await holdingsOf(fleet)).get('it');
  assert.deepEqual([held?.watches, held?.['status watches'], held?.timers, held?.links], [2, 1, 3, 1]);
});

test('connections of clients are not counted', async () => {
  assert.equal((await holdingsOf(fleetOf('gateway', [], ''))).get('it')?.sockets, 0);
});

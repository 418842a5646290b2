// Who leads, and how far the sequence of tasks has come. Pure.

import { leaderOf } from '../../coordination/leader-address.ts';
import { nextSequenceNumber } from '../../coordination/task-sequence.ts';
import { parentPaths, paths } from '../../coordination/znode-paths.ts';
import { limits } from '../../domain/limits.ts';
import { type Finding, finding } from '../finding.ts';
import type { Look } from '../suspicion.ts';
import type { SnapshotNode } from '../tree-snapshot.ts';

export function* leadershipFindings(look: Look): Generator<Finding> {
  const path = paths.master;
  const master = look(path);
  if (!master) yield finding('nobody-leads', path, 'is not there: no master leads');
  if (!master || master.isHidden) return;
  if (master.stat.ephemeralOwner === 0n) {
    yield finding('master-not-ephemeral', path, 'is not ephemeral: nobody can lead until somebody removes it');
  } else if (leaderOf(master).kind === 'ours') {
    yield* takeoverFindings(master, look(paths.epoch));
  } else {
    const what = `was not made by a master of ours, or was written into since (version ${master.stat.version})`;
    yield finding('master-by-hand', path, what);
  }
}

/** A takeover makes `/master`, sets it, and sets `/epoch`, in one transaction; nobody else does any of that. */
function* takeoverFindings({ stat: { czxid, mzxid } }: SnapshotNode, epoch: SnapshotNode | null): Generator<Finding> {
  // One that was made anew, after somebody had removed it, ends the leading, which takes a moment.
  if (!epoch || epoch.isHidden || epoch.stat.czxid > czxid) return;
  if (mzxid !== czxid || epoch.stat.mzxid !== czxid) {
    yield finding('master-without-epoch', paths.master, `was not made in one transaction with ${paths.epoch}`);
  }
}

export function* parentFindings(look: Look): Generator<Finding> {
  for (const path of parentPaths) {
    if (!look(path)) yield finding('missing-parent', path, 'is missing; whichever process starts next makes it');
  }
  const tasks = look(paths.tasks);
  if (!tasks || tasks.isHidden) return;
  const next = nextSequenceNumber(tasks.stat);
  if (next > limits.taskNumberMax * 0.9) {
    const what = `has come to number ${next} of ${limits.taskNumberMax}, after which no submit is taken`;
    yield finding('sequence-near-end', paths.tasks, what);
  }
}

// Workers and what they hold: no more than they have slots, and a place where they can be given it. Pure.

import { parseObject } from '../../coordination/record-json.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { WorkerId } from '../../domain/task.ts';
import { parseTaskId } from '../../domain/task-id.ts';
import { lookAtAssignment, lookAtWorker } from '../assignment-look.ts';
import { type Finding, finding } from '../finding.ts';
import type { Look } from '../suspicion.ts';
import type { SnapshotNode } from '../tree-snapshot.ts';
import { newerFindings } from './records.ts';

/** Of a name in `/workers`, in `/assign`, or in both. */
export function* workerFindings(look: Look, worker: WorkerId): Generator<Finding> {
  const path = paths.worker(worker);
  const folder = paths.assignments(worker);
  const node = look(path);
  const place = look(folder);
  if (node?.isHidden || place?.isHidden) return;
  if (node) yield* registrationFindings(look, worker, node);
  if (node && !place) yield finding('worker-without-folder', path, `cannot be given anything: there is no ${folder}`);
  if (!node && place?.children.length === 0) {
    yield finding('folder-without-worker', folder, 'is the place of a worker that is not registered');
  }
  if (node && place) yield* loadFindings(look, worker, place);
}

function* registrationFindings(look: Look, worker: WorkerId, { data, stat }: SnapshotNode): Generator<Finding> {
  const path = paths.worker(worker);
  const text = data.toString('utf8');
  yield* newerFindings(path, data);
  if (!lookAtWorker(look, worker)) {
    const why = stat.ephemeralOwner === 0n ? 'is not ephemeral' : 'has no data';
    yield finding('no-worker', path, `is no worker: it ${why}`);
  } else if (text.trimStart().startsWith('{') && typeof parseObject(text)?.['address'] !== 'string') {
    yield finding('unreadable', path, 'begins like a JSON object and has no address: all of it is taken for one');
  }
}

/** A former life's assignments are not counted, nor those that it had when it last said how many it takes. */
function* loadFindings(look: Look, worker: WorkerId, { children }: SnapshotNode): Generator<Finding> {
  const registered = lookAtWorker(look, worker);
  const tasks = children.map(parseTaskId).filter((task) => task !== null);
  if (!registered || tasks.length <= registered.record.concurrency) return;
  const { path, record, node } = registered;
  const held = tasks
    .map((task) => lookAtAssignment(look, worker, task))
    .filter((assignment) => assignment !== null)
    .filter((assignment) => assignment.node.stat.czxid > node.stat.czxid);
  if (held.length <= record.concurrency) return;
  const given = held.filter(({ isOurs, node: { stat } }) => isOurs && stat.czxid > node.stat.mzxid);
  const rule = given.length > record.concurrency ? 'worker-overloaded' : 'worker-overloaded-by-hand';
  yield finding(rule, path, `has ${held.length} assignments and ${record.concurrency} slots`);
}

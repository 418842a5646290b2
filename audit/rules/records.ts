// Whether what is written can be read: by the reader that our processes use for it. A text that is no JSON object is what a
// person writes, and mostly means something; what begins like one and is none means something else than it was meant to. Pure.

import { isNewerStatus, parseObject } from '../../coordination/record-json.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { AssignmentLook } from '../assignment-look.ts';
import { type Finding, finding } from '../finding.ts';
import type { Look } from '../suspicion.ts';
import type { TaskLook } from '../task-look.ts';

export function* taskRecordFindings({ path, node, reading, status, attempts }: TaskLook): Generator<Finding> {
  if (reading.kind === 'invalid') yield finding('no-task', path, `is no task of ours: ${reading.why}`);
  if (reading.kind === 'newer') yield finding('newer-record', path, `is a record of version ${reading.v}`);
  if (node.data.length === 0) yield finding('empty-task', path, 'has no data: it is an empty command for the shell');
  if (status) {
    const isText = !status.node.data.toString('utf8').trimStart().startsWith('{');
    if (!isText && !status.isOurs) {
      yield finding('unreadable', status.path, 'is no record of ours: what it does not say is made up');
    }
    if (isNewerStatus(status.node.data)) yield* newerFindings(status.path, status.node.data);
  }
  for (const attempt of attempts) {
    if (!attempt.isOurs) {
      yield finding(
        'unreadable',
        attempt.path,
        `is no record of attempt ${attempt.record.attempt}: it counts as failed`,
      );
    }
    yield* newerFindings(attempt.path, attempt.node.data);
  }
}

export function* newerFindings(path: string, data: Buffer): Generator<Finding> {
  const v = parseObject(data.toString('utf8'))?.['v'];
  if (typeof v === 'number' && v > 1) yield finding('newer-record', path, `is a record of version ${v}`);
}

/** None at all is what a person makes. */
export function* assignmentRecordFindings({ path, node: { data } }: AssignmentLook): Generator<Finding> {
  if (data.length > 0 && !parseObject(data.toString('utf8'))) {
    yield finding('unreadable', path, 'is no record of a run: it is taken for one that a person made');
  }
  yield* newerFindings(path, data);
}

export function* backlogFindings(look: Look): Generator<Finding> {
  const node = look(paths.backlog);
  if (!node || node.isHidden) return;
  if (typeof parseObject(node.data.toString('utf8'))?.['unfinished'] !== 'number') {
    yield finding('unreadable', paths.backlog, 'does not say how many tasks are unfinished: none is refused for that');
  }
  yield* newerFindings(paths.backlog, node.data);
}

// Schedules and how far they have come. One that has had no tick yet has no `ticks`. Pure.

import { parseObject } from '../../coordination/record-json.ts';
import { decodeSchedule } from '../../coordination/schedule-records.ts';
import { paths } from '../../coordination/znode-paths.ts';
import { type Finding, finding } from '../finding.ts';
import type { Look } from '../suspicion.ts';
import { newerFindings } from './records.ts';

export function* scheduleFindings(look: Look, schedule: string): Generator<Finding> {
  const path = paths.schedule(schedule);
  const node = look(path);
  if (!node || node.isHidden) return;
  const reading = decodeSchedule(node.data, node.stat.mtime);
  yield* newerFindings(path, node.data);
  if (reading.kind === 'unreadable' && !reading.isNewer) {
    yield finding('unreadable', path, `makes no tasks: ${reading.why}`);
  }
  const ticksPath = paths.ticks(schedule);
  const ticks = node.children.includes('ticks') ? look(ticksPath) : null;
  if (!ticks || ticks.isHidden) return;
  yield* newerFindings(ticksPath, ticks.data);
  const at = parseObject(ticks.data.toString('utf8'))?.['at'];
  if (typeof at !== 'string' || Number.isNaN(Date.parse(at))) {
    yield finding(
      'unreadable',
      ticksPath,
      'does not say which tick was the last: none before its last change is made up',
    );
  }
}

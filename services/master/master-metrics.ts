// What a master measures of itself, besides what every process does.

import { Counter, Gauge } from 'prom-client';
import { slotsView } from '../../domain/index-views.ts';
import { limits } from '../../domain/limits.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { MasterView } from './master-view.ts';

export interface MasterMetrics {
  readonly leading: Gauge;
  readonly assigned: Counter;
  readonly removed: Counter;
  /** Of that of the ensemble's leader, in seconds. */
  readonly clockAhead: Gauge;
  /** Of schedules, by `outcome`. */
  readonly ticks: Counter<'outcome'>;
}

export function createMasterMetrics(registry: Metrics, view: MasterView): MasterMetrics {
  const registers = [registry];
  measureAtScrape(registers, view);
  return {
    leading: new Gauge({ name: 'taskkeeper_master_leading', help: '1 while this master leads', registers }),
    clockAhead: new Gauge({
      name: 'taskkeeper_master_clock_ahead_seconds',
      help: 'How far the clock of the leading master is ahead of that of the ZooKeeper leader, at least; negative: behind',
      registers,
    }),
    assigned: new Counter({ name: 'taskkeeper_assignments_total', help: 'Tasks given to workers', registers }),
    ticks: new Counter({
      name: 'taskkeeper_schedule_ticks_total',
      help: 'Ticks of schedules that were handled: made a task, were skipped, or had been missed',
      labelNames: ['outcome'],
      registers,
    }),
    removed: new Counter({ name: 'taskkeeper_removals_total', help: 'Finished tasks removed', registers }),
  };
}

/** Of the picture, which standbys keep too; without one they have no value. */
function measureAtScrape(registers: Metrics[], view: MasterView): void {
  new Gauge({
    name: 'taskkeeper_tasks',
    help: 'Tasks kept now, by state',
    labelNames: ['state'],
    registers,
    collect() {
      this.reset();
      view.picture?.index.advance(Date.now()); // what has become queued since a standby last looked
      for (const [state, count] of Object.entries(view.picture?.index.states.counts.states ?? {})) {
        this.set({ state }, count);
      }
    },
  });
  new Gauge({
    name: 'taskkeeper_newest_task_number',
    help: `The last task number that was given; submits are refused from ${limits.taskNumberMax} on`,
    registers,
    collect() {
      this.reset();
      if (view.picture) this.set(Math.max(0, view.picture.sequence.next - 1));
    },
  });
  new Gauge({
    name: 'taskkeeper_slots',
    help: 'Slots of the workers that are registered, in all and free ones',
    labelNames: ['kind'],
    registers,
    collect() {
      this.reset();
      for (const [kind, count] of Object.entries(view.picture ? slotsView(view.picture.index) : {})) {
        this.set({ kind }, count);
      }
    },
  });
}

// How far the heap of this process may grow over what is in use before its old part is collected. By itself V8 takes several times as
// much where there is memory (280 MB instead of 100 after 100,000 tasks were read), and a fixed share of it is either much memory for a large
// heap or, for a small one that grows, a collection every second.

import { constants, type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

/** By how many percent `liveBytes` may grow to take `roomBytes` more: at least a fifth, at most as much again. */
export function growthPercent(liveBytes: number, roomBytes: number): number {
  return Math.round(100 * Math.min(1, Math.max(0.2, roomBytes / liveBytes)));
}

/** From now on, about `roomBytes`: told to V8 after each collection of the old part, with what was in use then, for the one after the next. */
export function limitHeapGrowth(roomBytes: number): void {
  const set = () => {
    const live = getHeapStatistics().used_heap_size;
    setFlagsFromString(`--heap-growing-percent=${growthPercent(live, roomBytes)}`);
  };
  // The types of Node 20 leave `detail` out.
  const isMajor = (entry: PerformanceEntry & { detail?: { kind?: number } }) =>
    entry.detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
  const observer = new PerformanceObserver((list) => {
    if (list.getEntries().some(isMajor)) set();
  });
  observer.observe({ entryTypes: ['gc'] });
  set();
}

// What was broken when: each fault as a span of time, and from them how much of a time nothing was broken in, nor just recovering. Pure.

import type { Fault, FaultName, Moment, ProcessEvent } from '../record.ts';
import { firstWhere } from './first-where.ts';
import { addTo, groupBy } from './group-by.ts';

export interface FaultSpan {
  readonly n: number;
  readonly fault: FaultName;
  readonly targets: readonly string[];
  readonly from: Moment;
  /** Infinity where the record does not say. */
  readonly to: Moment;
  readonly lines: readonly Fault[];
}

type Role = ProcessEvent['role'];

/** Both lines of each fault put together, in the order of their beginnings. */
export function faultSpans(lines: readonly Fault[]): FaultSpan[] {
  const spans = [...groupBy(lines, ({ n }) => n).values()].map((both): FaultSpan => {
    const [{ n, fault, targets, from }] = both as [Fault];
    const ended = both.find(({ to }) => to !== null);
    return { n, fault, targets, from, to: ended?.to ?? Infinity, lines: both };
  });
  return spans.sort((a, b) => a.from - b.from);
}

/** When nothing was broken that concerns some processes, nor just recovering. */
export class Calm {
  /** In order, and none of them touches another. */
  readonly #disturbances: { readonly from: Moment; to: Moment }[] = [];

  /** `spans` in the order of their beginnings. */
  constructor(spans: readonly FaultSpan[], recoveryMs: number) {
    for (const { from, to } of spans) {
      const last = this.#disturbances.at(-1);
      if (last && from <= last.to) last.to = Math.max(last.to, to + recoveryMs);
      else this.#disturbances.push({ from, to: to + recoveryMs });
    }
  }

  /** All the time between the two. */
  isCalm(from: Moment, to: Moment): boolean {
    const next = firstWhere(this.#disturbances.length, (place) => (this.#disturbances[place]?.from ?? 0) > to);
    return (this.#disturbances[next - 1]?.to ?? -Infinity) < from;
  }
}

export class Faults {
  readonly spans: readonly FaultSpan[];
  readonly #byTarget = new Map<string, FaultSpan[]>();
  readonly #roleOf: (id: string) => Role | null;
  readonly #recoveryMs: number;

  constructor(lines: readonly Fault[], roleOf: (id: string) => Role | null, recoveryMs: number) {
    this.spans = faultSpans(lines);
    this.#roleOf = roleOf;
    this.#recoveryMs = recoveryMs;
    for (const span of this.spans) for (const id of span.targets) addTo(this.#byTarget, id, span);
  }

  /** Those whose target it was, in the order of their beginnings. */
  of(id: string): readonly FaultSpan[] {
    return this.#byTarget.get(id) ?? [];
  }

  /** As far as these processes and the ensemble are concerned. A fault without a target concerns all. */
  calmOf(ids: readonly string[]): Calm {
    const isConcerned = (id: string) => ids.includes(id) || this.#roleOf(id) === 'zookeeper';
    const concerns = ({ targets }: FaultSpan) => targets.length === 0 || targets.some(isConcerned);
    return new Calm(this.spans.filter(concerns), this.#recoveryMs);
  }
}

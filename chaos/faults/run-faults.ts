// Runs a plan of faults against a fleet, each at its time, and writes down when each began and ended. Whatever happens, at its end or when it is
// told to stop, nothing is left frozen, down or broken.

import { setTimeout as delay } from 'node:timers/promises';
import type { Fleet } from '../fleet/fleet.ts';
import { now } from '../moment.ts';
import type { Entry, Fault, FaultName } from '../record.ts';
import { diskFull } from './disk-full.ts';
import { CannotBreak, type Injection } from './injection.ts';
import { cut, deafEnsemble, deafProcess, refusingServer, silence, slow, swallow } from './link-faults.ts';
import { describeFault, type PlannedFault } from './plan.ts';
import { freeze, kill, noQuorum, stop } from './process-faults.ts';
import { resolveTargets } from './targets.ts';

const injections: Readonly<Record<FaultName, Injection>> = {
  kill,
  freeze,
  doze: freeze,
  stop,
  cut,
  silence,
  'deaf-ensemble': deafEnsemble,
  'deaf-process': deafProcess,
  slow,
  swallow,
  'no-quorum': noQuorum,
  'disk-full': diskFull,
  'refusing-server': refusingServer,
};

export interface SkippedFault {
  readonly planned: PlannedFault;
  readonly why: string;
}

/** Resolves when all are over, with those that could not be done; rejects where one could not be begun or ended as it should. */
export async function runFaults(
  fleet: Fleet,
  plan: readonly PlannedFault[],
  record: (entry: Entry) => void,
  signal: AbortSignal,
): Promise<SkippedFault[]> {
  const run = new FaultRun(fleet, record, signal);
  const begun: Promise<void>[] = [];
  for (const planned of plan) {
    await run.until(planned.atMs);
    if (signal.aborted) break;
    begun.push(run.one(planned));
  }
  const results = await Promise.allSettled(begun);
  await fleet.heal();
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
  if (failed.length > 0) throw new AggregateError(failed, 'not every fault was as planned');
  return run.skipped;
}

class FaultRun {
  readonly skipped: SkippedFault[] = [];
  readonly #startedAt = now();
  /** Those that a fault has now. */
  readonly #taken = new Set<string>();
  /** Targets are chosen one fault at a time: two never choose the same. */
  #choosing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly fleet: Fleet,
    private readonly record: (entry: Entry) => void,
    private readonly signal: AbortSignal,
  ) {}

  /** So long after the beginning, or when it is told to stop. */
  async until(atMs: number): Promise<void> {
    await pause(this.#startedAt + atMs - now(), this.signal);
  }

  /** Resolves when it is over. */
  async one(planned: PlannedFault): Promise<void> {
    const targets = await this.#take(planned);
    if (!targets) {
      this.skipped.push({ planned, why: 'whoever it could be for was broken already' });
      return;
    }
    try {
      await this.#run(planned, targets);
    } catch (error) {
      if (!(error instanceof CannotBreak)) throw new Error(describeFault(planned), { cause: error });
      this.skipped.push({ planned, why: error.message });
    } finally {
      for (const id of targets) this.#taken.delete(id);
    }
  }

  async #run(planned: PlannedFault, targets: readonly string[]): Promise<void> {
    const { n, fault, forMs } = planned;
    const line: Fault = { kind: 'fault', n, fault, targets, from: now(), to: null };
    const broken = await injections[fault](this.fleet, targets, planned);
    this.record(line);
    const spent = new AbortController();
    void broken.spent?.then(() => spent.abort());
    await pause(forMs, AbortSignal.any([this.signal, spent.signal]));
    await broken.heal();
    this.record({ ...line, to: now() });
  }

  #take({ targets }: PlannedFault): Promise<string[] | null> {
    const chosen = this.#choosing.then(async () => {
      const ids = await resolveTargets(this.fleet, targets, this.#taken);
      for (const id of ids ?? []) this.#taken.add(id);
      return ids;
    });
    this.#choosing = chosen.catch(() => undefined);
    return chosen;
  }
}

/** So long, or until `signal` aborts. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await delay(Math.max(0, ms), undefined, { signal }).catch(() => undefined);
}

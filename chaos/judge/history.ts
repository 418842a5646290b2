// A run as rules look at it: the record and the final tree, put in order once. Pure.

import type { TreeSnapshot } from '../../audit/tree-snapshot.ts';
import type { Began, Call, Ended, EnsembleBug, Entry, Leftover, Moment, Picture, RunLine } from '../record.ts';
import { recoveryMs } from './allowances.ts';
import { Decisions } from './decisions.ts';
import { Faults } from './faults.ts';
import { groupBy } from './group-by.ts';
import { Lineages } from './lineages.ts';
import { Processes } from './processes.ts';
import { Requests } from './requests.ts';
import { byToken, type Run, runsOf } from './runs.ts';
import { type KeptTask, tasksOf } from './tasks.ts';
import type { Tally } from './verdict.ts';

type OfKind<K extends Entry['kind']> = Entry & { readonly kind: K };
type Kinds = { [K in Entry['kind']]: OfKind<K>[] };

export class History {
  readonly began: readonly Began[];
  readonly ended: readonly Ended[];
  readonly calls: readonly Call[];
  readonly runLines: readonly RunLine[];
  readonly leftovers: readonly Leftover[];
  readonly pictures: readonly Picture[];
  readonly ensembleBugs: readonly EnsembleBug[];
  readonly requests: Requests;
  readonly processes: Processes;
  readonly faults: Faults;
  /** In the order of their starts. */
  readonly runs: readonly Run[];
  /** Of the tree, by id. */
  readonly tasks: ReadonlyMap<string, KeptTask>;
  readonly lineages: Lineages;
  readonly decisions: Decisions;
  readonly sessionTimeoutMs: number;
  readonly #runsByTask: ReadonlyMap<string, Run[]>;

  constructor(
    entries: Iterable<Entry>,
    readonly tree: TreeSnapshot,
  ) {
    const kinds = byKind(entries);
    this.began = kinds.began;
    this.ended = kinds.ended;
    this.calls = kinds.call.sort((a, b) => a.from - b.from);
    this.runLines = kinds.run;
    this.leftovers = kinds.leftover;
    this.pictures = kinds.picture;
    this.ensembleBugs = kinds['ensemble-bug'];
    this.requests = new Requests(this.calls);
    this.processes = new Processes(kinds.process);
    this.sessionTimeoutMs = this.began[0]?.sessionTimeoutMs ?? 0;
    const roleOf = (id: string) => this.processes.roleOf(id);
    this.faults = new Faults(kinds.fault, roleOf, recoveryMs(this.sessionTimeoutMs));
    this.runs = runsOf(kinds.run, this.processes);
    this.#runsByTask = groupBy([...this.runs].sort(byToken), ({ task }) => task);
    this.tasks = tasksOf(tree);
    this.lineages = new Lineages(this.tasks);
    this.decisions = new Decisions(this.tasks.values());
  }

  /** Its runs in the order of their assignments. */
  runsOf(task: string): readonly Run[] {
    return this.#runsByTask.get(task) ?? [];
  }

  /** When the wall clock said so. NaN, which nothing compares with, where the record does not tell. */
  momentOf(epochMs: number): Moment {
    const [began] = this.began;
    return began ? began.at + epochMs - began.epochMs : Number.NaN;
  }

  /** The types whose handlers leave evidence: one run of the type that did is enough. */
  get typesWithEvidence(): ReadonlySet<string> {
    const types = this.runs.map(({ task }) => this.tasks.get(task)?.record?.type);
    return new Set(types.filter((type) => type !== undefined));
  }
}

function byKind(entries: Iterable<Entry>): Kinds {
  const kinds: Kinds = {
    ...{ began: [], ended: [], call: [], fault: [], process: [], run: [], leftover: [], picture: [] },
    'ensemble-bug': [],
  };
  for (const entry of entries) (kinds[entry.kind] as Entry[]).push(entry);
  return kinds;
}

/** What a rule found: its name comes from {@link Rule}. */
export interface Finding {
  readonly what: string;
  readonly evidence: readonly string[];
}

/** One promise. It counts what it had to look at. */
export interface Rule {
  readonly name: string;
  check(history: History, tally: Tally): Iterable<Finding>;
}

/** An entry as a line of evidence. */
export function line(entry: Entry): string {
  return JSON.stringify(entry);
}

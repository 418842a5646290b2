// The schedule of a run's faults, drawn from its seed: what, at whom, when and for how long. Faults of different processes overlap, at most a
// few at a time and never two on one target; mostly enough is left for the system to go on, now and then it is not. Pure.

import type { Random } from '../random.ts';
import type { FaultName } from '../record.ts';
import { type Aim, type Card, deck, isOutage, roleOf, type TargetRole } from './cards.ts';

/** How many there are of each; ids are `master1` and so on. */
export type Counts = Readonly<Record<TargetRole, number>>;

export interface PlannedFault {
  /** From 1, in order of time. */
  readonly n: number;
  readonly fault: FaultName;
  /** From the beginning of the run. */
  readonly atMs: number;
  readonly forMs: number;
  readonly targets: readonly PlannedTarget[];
  /** Of the target's three: the one that is in use then, that and another one, or all. */
  readonly links?: LinkChoice;
  /** Of `slow`: more, each way. */
  readonly delayMs?: number;
  /** Of `swallow`: how many, at most. */
  readonly replies?: number;
  /** Of `no-quorum`. */
  readonly by?: 'kill' | 'freeze';
}

export type LinkChoice = 'used' | 'two' | 'all';

export type PlannedTarget =
  | { readonly id: string }
  /** From 0 to 1: which one, where several are it then. */
  | { readonly who: LiveRole; readonly draw: number };

export type LiveRole = 'leading master' | 'standby master' | 'busy worker' | 'ensemble leader' | 'ensemble follower';

const faultsAtOnceMax = 4;
const firstMs = 1000;
/** Where nothing fits now. */
const stepMs = 250;

/** Of a run of so many seconds, by the end of which all of them are over. */
export function drawFaults(random: Random, seconds: number, counts: Counts, sessionTimeoutMs = 2000): PlannedFault[] {
  const endMs = seconds * 1000;
  const drawn: Drawn[] = [];
  let cards: Card[] = [];
  for (let atMs = firstMs; atMs < endMs; ) {
    if (cards.length === 0) cards = shuffled(random, deck);
    const active = drawn.filter((each) => each.freeAtMs > atMs);
    const index = cards.findIndex((card) => fits(card, active, counts));
    const card = cards[index];
    if (!card) {
      atMs += stepMs;
      continue;
    }
    cards.splice(index, 1);
    const planned = drawFault(random, card, { n: drawn.length + 1, atMs, active, counts, sessionTimeoutMs });
    if (atMs + planned.forMs > endMs) break;
    drawn.push({ ...card, planned, freeAtMs: atMs + planned.forMs + random.integer(0, 2000) });
    atMs += gapMs(random, drawn, atMs);
  }
  return drawn.map(({ planned }) => planned);
}

/** For people: one line. */
export function describeFault({ n, fault, atMs, forMs, targets, ...detail }: PlannedFault): string {
  const whom = targets.map((target) => ('id' in target ? target.id : `the ${target.who}`)).join(', ');
  const how = Object.entries(detail).map(([name, value]) => `, ${name} ${value}`);
  return `${n}. at ${seconds(atMs)}, for ${seconds(forMs)}: ${fault} ${whom}${how.join('')}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

interface Drawn extends Card {
  readonly planned: PlannedFault;
  /** Its targets may be hit again from then on. */
  readonly freeAtMs: number;
}

/** Enough of each role is left; an outage comes alone to its role, and one at a time. */
function fits({ aim, fault }: Card, active: readonly Drawn[], counts: Counts): boolean {
  const role = roleOf(aim);
  if (counts[role] < (isOutage(aim) ? 2 : 1) || active.length >= faultsAtOnceMax) return false;
  const sameRole = active.filter((each) => roleOf(each.aim) === role);
  if (isOutage(aim)) return sameRole.length === 0 && !active.some((each) => isOutage(each.aim));
  const hurt = sameRole.reduce((sum, { planned }) => sum + planned.targets.length, 0);
  const mayBeHurt = role === 'zookeeper' || fault === 'doze' ? 1 : Math.max(1, counts[role] - 1);
  return hurt < mayBeHurt;
}

/** Mostly the next one comes while this one lasts; sometimes everything is left in peace for a while. */
function gapMs(random: Random, drawn: readonly Drawn[], atMs: number): number {
  if (!random.chance(0.12)) return random.integer(100, 2500);
  const freeAtMs = Math.max(...drawn.map((each) => each.freeAtMs));
  return freeAtMs - atMs + random.integer(2000, 5000);
}

interface Moment {
  readonly n: number;
  readonly atMs: number;
  readonly active: readonly Drawn[];
  readonly counts: Counts;
  readonly sessionTimeoutMs: number;
}

function drawFault(random: Random, { fault, aim }: Card, moment: Moment): PlannedFault {
  const { n, atMs, sessionTimeoutMs } = moment;
  const base = { n, fault, atMs, targets: drawTargets(random, aim, moment) };
  const forMs = drawDuration(random, fault, sessionTimeoutMs);
  switch (fault) {
    case 'cut':
    case 'silence':
    case 'deaf-ensemble':
    case 'deaf-process':
      return { ...base, forMs, links: random.weighted({ used: 2, two: 1, all: 3 }) };
    case 'slow':
      return { ...base, forMs, links: 'all', delayMs: random.integer(50, 400) };
    case 'swallow':
      return { ...base, forMs, replies: random.integer(1, 3) };
    case 'no-quorum':
      return { ...base, forMs, by: random.pick(['kill', 'freeze']) };
    default:
      return { ...base, forMs };
  }
}

function drawDuration(random: Random, fault: FaultName, sessionMs: number): number {
  const times = (least: number, most: number) => Math.round(sessionMs * (least + (most - least) * random.next()));
  switch (fault) {
    // Half of them back before the ensemble has noticed.
    case 'kill':
      return random.chance(0.5) ? times(0.05, 0.5) : times(0.5, 2.5);
    case 'freeze':
      return times(1.3, 3);
    case 'doze':
      return times(0.1, 0.6);
    case 'slow':
      return times(1.5, 5);
    case 'no-quorum':
    case 'disk-full':
    case 'refusing-server':
      return times(1, 4);
    default:
      return times(0.2, 3);
  }
}

function drawTargets(random: Random, aim: Aim, { active, counts }: Moment): PlannedTarget[] {
  const role = roleOf(aim);
  const ids = Array.from({ length: counts[role] }, (_, i) => ({ id: `${role}${i + 1}` }));
  const taken = new Set(active.flatMap(({ planned }) => planned.targets.map((target) => 'id' in target && target.id)));
  switch (aim) {
    case 'two masters':
      return [live(random, 'leading master'), live(random, 'standby master')];
    case 'two servers':
      return shuffled(random, ids).slice(0, 2);
    case 'all workers':
    case 'all gateways':
      return ids;
    case 'some worker':
    case 'some gateway':
      return [random.pick(ids.filter(({ id }) => !taken.has(id)))];
    default:
      return [live(random, aim)];
  }
}

function live(random: Random, who: LiveRole): PlannedTarget {
  return { who, draw: random.next() };
}

/** Fisher and Yates. */
function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.integer(0, i);
    [result[i], result[j]] = [result[j] as T, result[i] as T];
  }
  return result;
}

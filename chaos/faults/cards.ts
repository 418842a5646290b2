// Which faults a run deals, and at whom, how often beside each other: a deck that is dealt to its end before it is shuffled again, so that
// everything comes up within a few minutes, whatever the seed. Pure.

import type { FaultName } from '../record.ts';

export type TargetRole = 'master' | 'worker' | 'gateway' | 'zookeeper';

/** Whom a card is for. Who leads and who is busy is found when it happens. */
export type Aim =
  | 'leading master'
  | 'standby master'
  | 'two masters'
  | 'busy worker'
  | 'some worker'
  | 'all workers'
  | 'some gateway'
  | 'all gateways'
  | 'ensemble leader'
  | 'ensemble follower'
  | 'two servers';

export interface Card {
  readonly fault: FaultName;
  readonly aim: Aim;
}

const copies: Readonly<Record<FaultName, Partial<Record<Aim, number>>>> = {
  kill: {
    ...{
      'leading master': 3,
      'standby master': 1,
      'two masters': 1,
      'busy worker': 3,
      'some worker': 1,
      'all workers': 1,
    },
    ...{ 'some gateway': 2, 'all gateways': 1, 'ensemble leader': 1, 'ensemble follower': 1 },
  },
  freeze: {
    ...{ 'leading master': 2, 'standby master': 1, 'two masters': 1, 'busy worker': 4, 'all workers': 1 },
    ...{ 'some gateway': 1, 'ensemble leader': 1, 'ensemble follower': 1 },
  },
  doze: { 'leading master': 1, 'busy worker': 2, 'some gateway': 1, 'ensemble leader': 1, 'ensemble follower': 1 },
  stop: {
    ...{ 'leading master': 2, 'busy worker': 2, 'some worker': 1, 'all workers': 1 },
    ...{ 'some gateway': 1, 'all gateways': 1, 'ensemble leader': 1, 'ensemble follower': 1 },
  },
  cut: { 'leading master': 2, 'busy worker': 2, 'all workers': 1, 'some gateway': 2, 'all gateways': 1 },
  silence: { 'leading master': 2, 'busy worker': 2, 'some gateway': 1, 'all gateways': 1 },
  'deaf-ensemble': { 'leading master': 1, 'busy worker': 1, 'some gateway': 1 },
  'deaf-process': { 'leading master': 1, 'busy worker': 1, 'some gateway': 1 },
  slow: { 'leading master': 1, 'busy worker': 1, 'some gateway': 1 },
  swallow: { 'leading master': 2, 'busy worker': 2, 'some gateway': 3 },
  'no-quorum': { 'two servers': 2 },
  'disk-full': { 'ensemble leader': 1, 'ensemble follower': 1 },
  'refusing-server': { 'ensemble leader': 1, 'ensemble follower': 1 },
};

export const deck: readonly Card[] = Object.entries(copies).flatMap(([fault, aims]) =>
  Object.entries(aims).flatMap(([aim, count]) => Array.from({ length: count }, () => ({ fault, aim }) as Card)),
);

const roles: Readonly<Record<Aim, TargetRole>> = {
  'leading master': 'master',
  'standby master': 'master',
  'two masters': 'master',
  'busy worker': 'worker',
  'some worker': 'worker',
  'all workers': 'worker',
  'some gateway': 'gateway',
  'all gateways': 'gateway',
  'ensemble leader': 'zookeeper',
  'ensemble follower': 'zookeeper',
  'two servers': 'zookeeper',
};

export function roleOf(aim: Aim): TargetRole {
  return roles[aim];
}

/** After it the system cannot go on for a while. */
export function isOutage(aim: Aim): boolean {
  return aim === 'two servers' || aim === 'two masters' || aim === 'all workers' || aim === 'all gateways';
}

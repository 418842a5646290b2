// Faults of links: of a process's to the ensemble, and of everybody's to one server.

import { opcodes } from '../../test/support/zookeeper-frames.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { Link, LinkTrouble, ProcessLinks } from '../fleet/links.ts';
import type { Broken, Injection } from './injection.ts';
import type { LinkChoice, PlannedFault } from './plan.ts';

export const cut = troubled(() => ({ refused: true }));
export const deafEnsemble = troubled(() => ({ silent: ['toServer'] }));
export const deafProcess = troubled(() => ({ silent: ['toClient'] }));
export const slow = troubled(({ delayMs = 0 }) => ({ delayMs }));

export const silence = troubled(() => ({ silent: ['toServer', 'toClient'] }));

/** Every process's link to the target. */
export const refusingServer: Injection = (fleet, targets) => {
  const links = fleet.services.flatMap((service) => service.links.links);
  return hold(
    links.filter(({ server }) => targets.includes(server)),
    { refused: true },
  );
};

/** The next transactions are applied, their replies lost, and with each the link broken. Resolves `spent` with the last of them. */
export const swallow: Injection = async (fleet, targets, { replies = 1 }) => {
  const all = targets.map((id) => fleet.service(id).links);
  const ended = new AbortController();
  const lost = all.map((links) => swallowReplies(links, replies, ended.signal));
  return {
    spent: Promise.all(lost).then(() => undefined),
    heal: async () => {
      ended.abort();
      for (const { proxy } of all.flatMap(({ links }) => links)) proxy.dropRules();
    },
  };
};

/** One after the other, on whichever link they come. */
async function swallowReplies({ links }: ProcessLinks, replies: number, ended: AbortSignal): Promise<void> {
  const isTransaction = (opcode: number) => opcode === opcodes.multi;
  for (let lost = 0; lost < replies && !ended.aborted; lost++) {
    await Promise.race(links.map(({ proxy }) => proxy.swallowNextReply(isTransaction)));
    for (const { proxy } of links) proxy.dropRules();
  }
}

function troubled(trouble: (planned: PlannedFault) => LinkTrouble): Injection {
  return (fleet, targets, planned) => hold(chosenLinks(fleet, targets, planned.links ?? 'all'), trouble(planned));
}

async function hold(links: readonly Link[], trouble: LinkTrouble): Promise<Broken> {
  const releases = await Promise.all(links.map((link) => link.hold({ ...trouble })));
  return {
    heal: async () => {
      await Promise.all(releases.map((release) => release()));
    },
  };
}

function chosenLinks(fleet: Fleet, targets: readonly string[], choice: LinkChoice): Link[] {
  const count = { used: 1, two: 2, all: Number.POSITIVE_INFINITY }[choice];
  return targets.flatMap((id) => {
    const { links } = fleet.service(id).links;
    const [used, unused] = [links.filter(({ isUsed }) => isUsed), links.filter(({ isUsed }) => !isUsed)];
    return [...used, ...unused].slice(0, count);
  });
}

// Who a planned fault is for, at the moment when it happens: the plan says "the master that leads", and whoever that is then is taken. Where there is
// none that it fits (nobody leads, or it cannot be seen), or it is being broken already, another one of its role is.

import { paths } from '../../coordination/znode-paths.ts';
import type { WorkerId } from '../../domain/task.ts';
import { serversByMode } from '../fleet/ensemble.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { LiveRole, PlannedTarget } from './plan.ts';

interface Candidates {
  readonly fitting: readonly string[];
  /** All of the role. */
  readonly all: readonly string[];
}

/** Ids, each another one and none of `taken`; null where there are not enough. */
export async function resolveTargets(
  fleet: Fleet,
  targets: readonly PlannedTarget[],
  taken: ReadonlySet<string>,
): Promise<string[] | null> {
  const chosen: string[] = [];
  for (const target of targets) {
    const { fitting, all } = 'id' in target ? named(fleet, target.id) : await candidates(fleet, target.who);
    const free = (ids: readonly string[]) => ids.filter((id) => !taken.has(id) && !chosen.includes(id));
    const choice = free(fitting).length > 0 ? free(fitting) : free(all);
    const draw = 'id' in target ? 0 : target.draw;
    const id = choice[Math.floor(draw * choice.length)];
    if (id === undefined) return null;
    chosen.push(id);
  }
  return chosen;
}

function named(fleet: Fleet, id: string): Candidates {
  const sameRole = [fleet.masters, fleet.workers, fleet.gateways, fleet.servers].find((each) =>
    each.some((member) => member.id === id),
  );
  return { fitting: [id], all: idsOf(sameRole ?? []) };
}

async function candidates(fleet: Fleet, who: LiveRole): Promise<Candidates> {
  switch (who) {
    case 'leading master':
      return { fitting: idsOf(fleet.masters).filter((id) => id === fleet.leader()?.id), all: idsOf(fleet.masters) };
    case 'standby master':
      return { fitting: idsOf(fleet.masters).filter((id) => id !== fleet.leader()?.id), all: idsOf(fleet.masters) };
    case 'busy worker':
      return { fitting: await busyWorkers(fleet), all: idsOf(fleet.workers) };
    case 'ensemble leader':
      return { fitting: idsOf((await serversByMode(fleet.servers)).leader), all: idsOf(fleet.servers) };
    case 'ensemble follower':
      return { fitting: idsOf((await serversByMode(fleet.servers)).follower), all: idsOf(fleet.servers) };
  }
}

/** Those that something is assigned to; none where that cannot be seen. */
async function busyWorkers(fleet: Fleet): Promise<string[]> {
  const { session } = fleet.observer;
  if (!session) return [];
  const ids = idsOf(fleet.workers);
  const assigned = ids.map((id) => session.childNames(paths.assignments(id as WorkerId)).catch(() => null));
  const counts = await Promise.all(assigned);
  return ids.filter((_, i) => (counts[i]?.length ?? 0) > 0);
}

function idsOf(members: readonly { readonly id: string }[]): string[] {
  return members.map(({ id }) => id);
}

// Who leads: the session that holds the ephemeral `/master`. One transaction creates it, sets it again (so that ours
// has version 1, which one made by hand never has) and writes our id into `/epoch`, whose version is the epoch. Every
// commit of the leader checks both, so a master that was overtaken cannot write, whatever it still believes.

import { CoordinationError, isRefusal } from './coordination-error.ts';
import { nextChange } from './next-change.ts';
import type { Session } from './session.ts';
import { paths } from './znode-paths.ts';
import type { Operation } from './zookeeper-requests.ts';

/** The version that `/master` has when one of ours made it. */
export const ourMasterVersion = 1;

export interface Candidate {
  readonly masterId: string;
  /** `host:port` of the admin endpoint. */
  readonly address: string;
}

export interface Leadership {
  /** Grows with every master of ours that takes over. */
  readonly epoch: number;
  /** To be checked in every commit of this leader. */
  readonly guards: readonly Operation[];
}

/** Waits until this session leads. Null when `signal` aborts first. Throws CoordinationError when the session ends. */
export async function campaign(
  session: Session,
  candidate: Candidate,
  signal: AbortSignal,
): Promise<Leadership | null> {
  while (!signal.aborted) {
    const change = nextChange(session, paths.master, signal);
    const master = await change.stat;
    if (master === null || master.ephemeralOwner === session.id) {
      change.cancel();
      const leadership = await takeOver(session, candidate);
      if (leadership) return leadership;
    } else {
      await change.happened;
      change.cancel();
    }
    if (session.signal.aborted) throw new CoordinationError('session_lost', 'not applied', 'campaign');
  }
  return null;
}

/** Null: another was faster. An answer that was lost is looked up: `/master` says whose session it belongs to. */
async function takeOver(session: Session, candidate: Candidate): Promise<Leadership | null> {
  const epoch = await session.exists(paths.epoch);
  if (!epoch) throw new CoordinationError('no_node', 'not applied', `${paths.epoch} is missing`);
  const address = Buffer.from(candidate.address);
  try {
    await session.commit([
      { kind: 'create', path: paths.master, data: address, mode: 'ephemeral' },
      { kind: 'set', path: paths.master, data: address, version: 0 },
      { kind: 'set', path: paths.epoch, data: Buffer.from(candidate.masterId), version: epoch.version },
    ]);
    return leadershipOf(epoch.version + 1);
  } catch (error) {
    if (isRefusal(error, 'node_exists')) return resume(session, candidate);
    if (isRefusal(error, 'bad_version')) return null;
    if (error instanceof CoordinationError && error.outcome === 'unknown') return resume(session, candidate);
    throw error;
  }
}

/** We may hold `/master` already: the takeover's answer was lost. Sound because sync comes after it in this session. */
async function resume(session: Session, candidate: Candidate): Promise<Leadership | null> {
  await session.sync(paths.master);
  const [master, epoch] = await Promise.all([session.exists(paths.master), session.getData(paths.epoch)]);
  if (master?.ephemeralOwner !== session.id) return null;
  if (master.version === ourMasterVersion && epoch?.data.toString() === candidate.masterId) {
    return leadershipOf(epoch.stat.version);
  }
  // Ours, but somebody set it or `/epoch` by hand since: no commit would pass its guards. Begin anew.
  await session.commit([{ kind: 'remove', path: paths.master, version: master.version }]);
  return null;
}

function leadershipOf(epoch: number): Leadership {
  return {
    epoch,
    guards: [
      { kind: 'check', path: paths.master, version: ourMasterVersion },
      { kind: 'check', path: paths.epoch, version: epoch },
    ],
  };
}

/** Gives `/master` up at once, so that a standby takes over now and not when the session ends. */
export async function resign(session: Session, { guards }: Leadership): Promise<void> {
  await session.commit([...guards, { kind: 'remove', path: paths.master, version: ourMasterVersion }]);
}

// Faults of whole processes, the ensemble's servers among them: killed, frozen, asked to stop.

import { setTimeout as delay } from 'node:timers/promises';
import type { FleetProcess } from '../fleet/fleet-process.ts';
import type { Injection } from './injection.ts';

/** A clean stop that takes longer is ended as an orchestrator would. */
const stopMsMax = 30_000;

/** kill -9, and started again. */
export const kill: Injection = async (fleet, targets) => {
  const processes = targets.map((id) => fleet.process(id));
  await Promise.all(processes.map((process) => process.end('SIGKILL')));
  return {
    heal: async () => {
      for (const process of processes) process.start();
    },
  };
};

/** SIGSTOP and SIGCONT; how long is what tells freeze from doze. */
export const freeze: Injection = async (fleet, targets) => {
  const processes = targets.map((id) => fleet.process(id));
  for (const process of processes) process.freeze();
  return {
    heal: async () => {
      for (const process of processes) process.resume();
    },
  };
};

/** SIGTERM, and started again; at the earliest when it has stopped. */
export const stop: Injection = async (fleet, targets) => {
  const stopping = targets.map((id) => ({ process: fleet.process(id), stopped: fleet.process(id).end('SIGTERM') }));
  return {
    heal: async () => {
      await Promise.all(stopping.map(({ process, stopped }) => endInTime(process, stopped)));
      for (const { process } of stopping) process.start();
    },
  };
};

export const noQuorum: Injection = (fleet, targets, planned) =>
  planned.by === 'freeze' ? freeze(fleet, targets, planned) : kill(fleet, targets, planned);

async function endInTime(process: FleetProcess, stopped: Promise<void>): Promise<void> {
  const over = new AbortController();
  const late = delay(stopMsMax, undefined, { signal: over.signal }).then(
    () => process.end('SIGKILL'),
    () => undefined, // it stopped in time
  );
  await stopped;
  over.abort();
  await late;
}

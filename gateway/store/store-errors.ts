// What can go wrong in the ensemble, as the errors of the API.

import { CoordinationError } from '../../coordination/coordination-error.ts';
import { IdempotencyKeyReused, UnreadableKey } from '../../coordination/idempotent-submission.ts';
import { TooManyQueues, UnreadableQueue } from '../../coordination/queue-ledger.ts';
import { TooManySchedules } from '../../coordination/schedule-ledger.ts';
import { DependencyNotFound, type OutsideDependency } from '../../coordination/task-dependencies.ts';
import { SequenceExhausted, SubmitTooLarge } from '../../coordination/task-submission.ts';
import { UnreadableTask } from '../../coordination/unreadable-task.ts';
import { ServiceError } from '../../domain/errors.ts';
import { limits } from '../../domain/limits.ts';

const retryAfterMs = 1000;

export function unavailable(why: string, cause: unknown): ServiceError {
  const message = `${why}; nothing was changed, try again`;
  return new ServiceError('coordination-unavailable', message, { cause, retryAfterMs });
}

/** What is no operating error goes on as it is: a bug. */
export function serviceErrorOf(error: unknown): unknown {
  if (error instanceof IdempotencyKeyReused) {
    const message = 'this idempotency key was used for another request; use a new key, or send the same request';
    return new ServiceError('idempotency-key-reused', message);
  }
  if (error instanceof SequenceExhausted) {
    const message =
      'the task numbers of this tree are used up: move to a new chroot, or remove /tasks once it is not needed any more';
    return new ServiceError('sequence-exhausted', message, { cause: error });
  }
  if (error instanceof SubmitTooLarge) {
    const message = `the tasks are too large for one transaction (${error.message}); submit them in smaller batches`;
    return new ServiceError('batch-too-large', message);
  }
  if (error instanceof UnreadableTask) return taskUnreadable(error);
  if (error instanceof UnreadableKey) {
    const message =
      'A newer version of Taskkeeper wrote what is kept of this idempotency key, so whether it has made its tasks cannot be told; ' +
      'nothing was submitted. Send the same request to a gateway of that version.';
    return new ServiceError('idempotency-key-unreadable', message);
  }
  if (error instanceof DependencyNotFound) return dependencyNotFound(error.dependency);
  if (error instanceof TooManyQueues) {
    const message = `${limits.queuesMax} queues have settings, and no more may; lift those of another one first`;
    return new ServiceError('too-many-queues', message);
  }
  if (error instanceof UnreadableQueue) {
    const remedy = error.isNewer
      ? 'change them through a gateway of that version.'
      : 'set all of them at once, or mend or remove that znode by hand.';
    const message = `The settings of this queue cannot be read (${error.message}), and so none be changed alone; ${remedy}`;
    return new ServiceError('queue-unreadable', message);
  }
  if (error instanceof TooManySchedules) {
    const message = `there are ${limits.schedulesMax} schedules, and no more may be; delete another one first`;
    return new ServiceError('too-many-schedules', message);
  }
  if (!(error instanceof CoordinationError)) return error;
  if (error.outcome === 'not applied') return notApplied(error);
  const message =
    'the connection to ZooKeeper broke before the answer came, so the change may or may not have been made; ' +
    'a submit with an idempotency key, and everything that is no submit, can safely be repeated';
  // No word of when to try again: whoever obeys it blindly makes a second task of a submit without a key.
  return new ServiceError('outcome-unknown', message, { cause: error });
}

function taskUnreadable({ task, why }: UnreadableTask): ServiceError {
  const message =
    why === 'newer'
      ? `A newer version of Taskkeeper wrote task ${task}, or what is below it, which this gateway cannot read: ask a gateway of that version.`
      : `This gateway may not read task ${task}, or what is below it: an ACL in ZooKeeper forbids that, and has to be changed by who may.`;
  return new ServiceError('task-unreadable', message);
}

function dependencyNotFound({ task, batchIndex, place, retryOf }: OutsideDependency): ServiceError {
  if (retryOf !== null) {
    const text =
      `Task ${retryOf} comes after ${task} and was never let go, and there is no task ${task} any more: finished tasks are kept ` +
      'for their retentionMs. Nothing was submitted; submit a new task that does not come after it.';
    return new ServiceError('dependency-not-found', text);
  }
  const pointer = `${batchIndex === null ? '' : `/tasks/${batchIndex}`}/after/${place}`;
  const message =
    `There is no task ${task} to come after, or none any more: finished tasks are kept for their retentionMs. ` +
    'Nothing was submitted; leave it out, or submit that task first.';
  return new ServiceError('dependency-not-found', message, { faults: [{ pointer, detail: 'names no task' }] });
}

function notApplied(error: CoordinationError): ServiceError {
  const { code } = error;
  const isLate = code === 'connection_lost' || code === 'session_lost' || code === 'deadline_exceeded';
  if (isLate) return unavailable('ZooKeeper could not answer in time', error);
  const message = `ZooKeeper refused it (${code}); nothing was changed. Where it goes on refusing, somebody has to look at the tree or its ACLs`;
  return new ServiceError('coordination-unavailable', message, { cause: error, retryAfterMs });
}

/** What belongs to the present session does the work; its failures become those of the API. Null: there is no session. */
export async function inSession<Parts, T>(parts: Parts | null, work: (parts: Parts) => Promise<T>): Promise<T> {
  if (!parts) throw unavailable('there is no ZooKeeper session at the moment', undefined);
  try {
    return await work(parts);
  } catch (error) {
    throw serviceErrorOf(error);
  }
}

// One of two workers is ended while tasks run on it: until all of them run on the other one, by their own word. And one on which
// nothing runs is stopped.

import { paths } from '../../coordination/znode-paths.ts';
import type { TaskId, WorkerId } from '../../domain/task.ts';
import { parseTaskId } from '../../domain/task-id.ts';
import { eventually } from '../../test/support/eventually.ts';
import type { Process } from '../../test/support/stack.ts';
import { aims, atAnyMoment, type Failover, forget } from './failover-stack.ts';
import { isElsewhere, isGone } from './tree-events.ts';

/** On both workers together; they go to the less loaded one each time. */
const tasksRunning = 8;

export async function workerKilled(failover: Failover): Promise<void> {
  const { add, events, sizes, stack } = failover;
  const what = 'kill -9 of a worker';
  await failover.repeat(what, async () => {
    const { victim, tasks, end } = await runTasks(failover);
    await atAnyMoment(sizes.sessionMs);
    const gone = events.next('the session of the dead worker ends', isGone(paths.worker(victim.id as WorkerId)));
    const moved = followMove(failover, victim, tasks);
    const killedAt = performance.now();
    victim.process.kill('SIGKILL');
    const [goneAt, { assignedAt, runningAt }] = await Promise.all([gone, moved]);
    const aim = sizes.sessionMs + aims.beyondSessionMs;
    add(`${what}: to the end of its session`, goneAt - killedAt);
    add(`${what}: from there until all its tasks are assigned elsewhere`, assignedAt - goneAt);
    add(`${what}: from there until all its tasks run elsewhere`, runningAt - goneAt, aims.beyondSessionMs);
    add(`${what}: until all its tasks run elsewhere`, runningAt - killedAt, aim);
    forget(stack.workers, victim);
    await Promise.all([end(), stack.addWorker()]);
  });
}

export async function workerStopped(failover: Failover): Promise<void> {
  const { add, events, stack } = failover;
  const what = 'SIGTERM of a worker';
  await failover.repeat(what, async () => {
    const { victim, tasks, end } = await runTasks(failover);
    const moved = followMove(failover, victim, tasks);
    const stoppedAt = performance.now();
    const exited = victim.process.stop().then(() => performance.now());
    const { assignedAt, runningAt } = await moved;
    add(`${what} that may finish nothing: until all its tasks are assigned elsewhere`, assignedAt - stoppedAt);
    add(`${what} that may finish nothing: until all its tasks run elsewhere`, runningAt - stoppedAt);
    add(`${what} that may finish nothing: to its exit`, (await exited) - stoppedAt);
    forget(stack.workers, victim);
    await Promise.all([end(), stack.addWorker()]);
    await stopIdle(failover, what);
  });

  async function stopIdle({ stack: { workers } }: Failover, figure: string): Promise<void> {
    const [idle] = workers;
    if (!idle) throw new Error('there is no worker');
    const gone = events.next('it leaves', isGone(paths.worker(idle.id as WorkerId)));
    const stoppedAt = performance.now();
    const exited = idle.process.stop().then(() => performance.now());
    add(`${figure} on which nothing runs: to its leave`, (await gone) - stoppedAt, aims.stopMs);
    add(`${figure} on which nothing runs: to its exit`, (await exited) - stoppedAt);
    forget(workers, idle);
    await stack.addWorker();
  }
}

/** On both workers; `tasks` are those on the one that is to end. */
async function runTasks({ session, stack }: Failover) {
  const [victim] = stack.workers;
  if (!victim) throw new Error('there is no worker');
  const submits = Array.from({ length: tasksRunning }, () => stack.client.submit({ type: 'held' }));
  const all = await Promise.all(submits);
  for (const { id } of all) await stack.client.until(id, 'runs', ({ progress }) => progress !== null);
  const names = (await session.childNames(paths.assignments(victim.id as WorkerId))) ?? [];
  const tasks = names.flatMap((name) => parseTaskId(name) ?? []);
  const end = async () => {
    await Promise.all(all.map(({ id }) => stack.client.request('POST', `/tasks/${id}/cancel`)));
    for (const { id } of all) await stack.client.wait(id);
    await eventually('nothing is assigned', async () => (await assignments(stack.workers)).length === 0);
  };
  const assignments = async (workers: readonly Process[]) => {
    const folders = workers.map(({ id }) => session.childNames(paths.assignments(id as WorkerId)));
    return (await Promise.all(folders)).flatMap((found) => found ?? []);
  };
  return { victim, tasks, end };
}

/** When the last of them was assigned to another worker, and when the last one said there that it runs. */
async function followMove({ events }: Failover, { id }: Process, tasks: readonly TaskId[]) {
  const last = async (wanted: 'created' | 'changed') => {
    const seen = tasks.map((task) => events.next(`${task} moves`, isElsewhere(task, id as WorkerId, wanted)));
    return Math.max(...(await Promise.all(seen)));
  };
  const [assignedAt, runningAt] = await Promise.all([last('created'), last('changed')]);
  return { assignedAt, runningAt };
}

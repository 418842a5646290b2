// The leading master is ended and the standby takes over: until its first assignment, of a task that has waited for it. What ZooKeeper
// takes to end the session of a dead one is told apart from what we take from there.

import { paths } from '../../coordination/znode-paths.ts';
import { aims, atAnyMoment, createTask, type Failover, forget } from './failover-stack.ts';
import { isAssigned, isGone } from './tree-events.ts';

export async function leaderKilled(failover: Failover): Promise<void> {
  const { add, events, session, sizes, stack } = failover;
  const what = 'kill -9 of the leading master';
  await failover.repeat(what, async () => {
    const leader = await stack.leader();
    await atAnyMoment(sizes.sessionMs);
    const gone = events.next('the session of the dead leader ends', isGone(paths.master));
    const assigned = events.next('the next leader assigns', isAssigned);
    const killedAt = performance.now();
    leader.process.kill('SIGKILL');
    await createTask(session);
    const [goneAt, assignedAt] = await Promise.all([gone, assigned]);
    add(`${what}: to the end of its session`, goneAt - killedAt);
    add(`${what}: from there to the first assignment`, assignedAt - goneAt, aims.beyondSessionMs);
    add(`${what}: to the first assignment`, assignedAt - killedAt, sizes.sessionMs + aims.beyondSessionMs);
    forget(stack.masters, leader);
    await stack.addMaster();
  });
}

export async function leaderStopped(failover: Failover): Promise<void> {
  const { add, events, session, sizes, stack } = failover;
  const what = 'SIGTERM of the leading master';
  await failover.repeat(what, async () => {
    const leader = await stack.leader();
    await atAnyMoment(sizes.sessionMs);
    const gone = events.next('the leader gives up', isGone(paths.master));
    const stoppedAt = performance.now();
    const exited = leader.process.stop().then(() => performance.now());
    const goneAt = await gone;
    const assigned = events.next('the next leader assigns', isAssigned);
    await createTask(session); // now, or the one that stops might still take it up
    const assignedAt = await assigned;
    add(`${what}: to giving up`, goneAt - stoppedAt);
    add(`${what}: to the first assignment`, assignedAt - stoppedAt, aims.stopMs);
    add(`${what}: to its exit`, (await exited) - stoppedAt);
    forget(stack.masters, leader);
    await stack.addMaster();
  });
}

// Goal: a tick is handled once, with its task or not at all, and a schedule is changed or removed once, whoever else writes at the
// time and whatever becomes of the link. Method: the ledgers of gateway and leader on a real ZooKeeper through a fault proxy.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ensureParents } from '../../coordination/bootstrap.ts';
import { GroupCommit } from '../../coordination/group-commit.ts';
import {
  changeSchedule,
  readSchedule,
  readSynced,
  removeSchedule,
  scheduleNames,
  TooManySchedules,
} from '../../coordination/schedule-ledger.ts';
import { decodeTask } from '../../coordination/task-record.ts';
import { type SeenSchedule, TickLedger } from '../../coordination/tick-ledger.ts';
import { paths } from '../../coordination/znode-paths.ts';
import type { Operation, OperationResult } from '../../coordination/zookeeper-requests.ts';
import { limits } from '../../domain/limits.ts';
import { intervalTicks, type ScheduleRecord } from '../../domain/schedule.ts';
import { planTick, type TickDecision, type UnfinishedTask } from '../../domain/schedule-plan.ts';
import type { TaskId } from '../../domain/task.ts';
import { create, openSession, reached } from '../fault/session-harness.ts';
import { taskRecord } from '../fault/task-record.ts';
import { wholeFile } from '../support/cleanup.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';
import { writesTo } from './store-harness.ts';

const zookeeper = await startZooKeeper(wholeFile);

const { submitId, submittedAt, idempotencyKey, retryOf, batch, schedule, ...task } = taskRecord();
const record: ScheduleRecord = {
  ...{ timing: { kind: 'interval', everyMs: 1000 }, task, overlap: 'allow', catchUp: 100, paused: false },
  since: 0,
};
const seen: SeenSchedule = { name: 's', record, version: 0, ticksVersion: null, rootVersion: 0 };

/** Each test has a tree of its own, with a schedule `s` that has seen no tick. */
async function scheduling(t: TestContext) {
  const chroot = `/${t.name.replaceAll(/[^a-z]+/g, '-').slice(0, 40)}`;
  const proxy = await startFaultProxy(t, zookeeper);
  const { session } = await openSession(t, proxy, { sessionTimeoutMs: 10_000, chroot });
  const { session: observer } = await openSession(t, zookeeper, { sessionTimeoutMs: 10_000, chroot });
  await ensureParents(session);
  const commits = new GroupCommit(session);
  const put = (name = 's', members: Partial<ScheduleRecord> = {}) =>
    changeSchedule(session, commits, name, () => ({ ...record, ...members }));
  await put();
  const ledger = new TickLedger(session, commits);
  const ticksMade = async () => {
    const names = (await observer.getChildren(paths.tasks))?.children.sort() ?? [];
    const read = async (name: string) => {
      const znode = await observer.getData(`/tasks/${name}`);
      const reading = decodeTask(znode?.data ?? Buffer.alloc(0), 0);
      return reading.kind === 'task' ? reading.record.schedule?.at : undefined;
    };
    return Promise.all(names.map(read));
  };
  return { proxy, session, observer, commits, ledger, put, ticksMade };
}

/** What a leader decides at `now` that has seen no tick. */
function decided(now: number, members: { record?: ScheduleRecord; unfinished?: UnfinishedTask[] } = {}): TickDecision {
  const rest = { record, state: null, unfinished: [], lastTask: null, nextNumber: 0, now, ...members };
  const decision = planTick({ ...rest, next: intervalTicks(0, 1000) });
  assert.ok(decision);
  return decision;
}

test('leaders that decide the same tick make one task', async (t) => {
  const { session, ledger, ticksMade } = await scheduling(t);
  const other = new TickLedger(session, new GroupCommit(session));
  const outcomes = await Promise.allSettled([
    ledger.handle(seen, decided(1000), 1000),
    other.handle(seen, decided(1000), 1000),
  ]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
  assert.deepEqual(await ticksMade(), [1000]);
  const next = { ...seen, ticksVersion: 0 };
  assert.deepEqual(await ledger.handle(next, decided(2000), 2000), { ticksVersion: 1, task: 'task-0000000001' });
  await assert.rejects(other.handle(next, decided(3000), 3000), { code: 'bad_version' });
  assert.equal((await ticksMade()).length, 2);
});

test('the answer is lost: the state tells that the tick was handled; the request is lost: that it was not', async (t) => {
  const { proxy, session, ledger, ticksMade } = await scheduling(t);
  const swallowed = proxy.swallowNextReply(writesTo(paths.ticks('s')));
  await assert.rejects(ledger.handle(seen, decided(1000), 1000), { outcome: 'unknown' });
  await swallowed;
  await reached(session, 'connected');
  await ledger.catchUp();
  const { state, lastTask } = (await readSchedule(session, 's')) ?? {};
  assert.deepEqual([state?.at, state?.runs, lastTask], [1000, 1, 'task-0000000000']);
  await assert.rejects(ledger.handle(seen, decided(1000), 1000), { code: 'node_exists', outcome: 'not applied' });
  const dropped = proxy.dropNextRequest(writesTo(paths.ticks('s')));
  const next = { ...seen, ticksVersion: 0 };
  await assert.rejects(ledger.handle(next, decided(2000), 2000), { outcome: 'unknown' });
  await dropped;
  await reached(session, 'connected');
  await ledger.catchUp();
  assert.equal((await readSchedule(session, 's'))?.state?.runs, 1);
  await ledger.handle(next, decided(2000), 2000);
  assert.deepEqual(await ticksMade(), [1000, 1000]);
});

test('a definition that was changed, removed, or made anew: what was decided from the old one comes to nothing', async (t) => {
  const { session, observer, commits, ledger, put, ticksMade } = await scheduling(t);
  await put('s', { catchUp: 3 });
  await assert.rejects(ledger.handle(seen, decided(1000), 1000), { code: 'bad_version' });
  await ledger.handle({ ...seen, version: 1 }, decided(1000), 1000);
  assert.equal(await removeSchedule(session, commits, 's'), true);
  assert.equal(await observer.exists(paths.ticks('s')), null);
  const late = () => ledger.handle({ ...seen, version: 1, ticksVersion: 0 }, decided(2000), 2000);
  await assert.rejects(late(), { outcome: 'not applied' });
  await put();
  // Definition and state are there with the versions that they had.
  await assert.rejects(ledger.handle(seen, decided(1000), 1000), { code: 'bad_version' });
  assert.deepEqual(await ticksMade(), [1000]);
  await ledger.handle({ ...seen, rootVersion: 1 }, decided(1000), 1000);
  assert.deepEqual(await ticksMade(), [1000, 1000]);
});

test('in its place: the others are asked to end in the transaction that makes it, or nothing is done', async (t) => {
  const { session, observer, ledger, ticksMade } = await scheduling(t);
  const replacing = { ...record, overlap: 'replace' } as const;
  const unfinished = ['task-0000000000', 'task-0000000001'].map((id) => ({ id: id as TaskId, isCancelled: false }));
  const decision = decided(1000, { record: replacing, unfinished });
  await session.commit([create('/tasks/task-', '{"v":1,"type":"x"}', 'sequential')]);
  await assert.rejects(ledger.handle(seen, decision, 1000), { code: 'no_node' });
  assert.deepEqual([await ticksMade(), (await readSchedule(session, 's'))?.state], [[undefined], null]);
  await session.commit([create('/tasks/task-', '{"v":1,"type":"x"}', 'sequential')]);
  const { task: made } = await ledger.handle(seen, decision, 1000);
  assert.equal(made, 'task-0000000002');
  for (const { id } of unfinished) {
    const reason = (await observer.getData(paths.cancel(id)))?.data.toString();
    assert.equal(reason, 'the next tick of schedule s takes its place');
  }
});

test('a name that somebody has taken by hand and that comes next is stepped over', async (t) => {
  const { session, ledger } = await scheduling(t);
  await session.commit([{ kind: 'remove', path: paths.tasks, version: null }]);
  await session.commit([create(paths.tasks)]);
  // The server names the next one after the creations so far, which somebody has taken by hand.
  await session.commit([create(`${paths.tasks}/task-0000000001`)]);
  await assert.rejects(ledger.handle(seen, decided(1000), 1000), { code: 'node_exists', outcome: 'not applied' });
  assert.equal((await readSchedule(session, 's'))?.state, null);
  assert.equal((await ledger.handle(seen, decided(1000), 1000)).task, 'task-0000000002');
});

test('the task of the last tick is found among others that were made together with it', async (t) => {
  const { session, ledger, put } = await scheduling(t);
  const names = Array.from({ length: 20 }, (_, i) => `s${i}`);
  await Promise.all(names.map((name) => put(name)));
  const handled = await Promise.all(names.map((name) => ledger.handle({ ...seen, name }, decided(1000), 1000)));
  for (const [place, name] of names.entries()) {
    assert.equal((await readSchedule(session, name))?.lastTask, handled[place]?.task, name);
    assert.equal((await readSynced(session, name))?.lastTask, null, 'for lists it is not looked for');
  }
  assert.deepEqual(await scheduleNames(session, 's18'), ['s19', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9']);
});

test('a change whose answer or request is lost is made once, and told as what it was', async (t) => {
  const { proxy, session, observer, commits, put } = await scheduling(t);
  for (const [name, lose] of [
    ['a', 'swallowNextReply'],
    ['b', 'dropNextRequest'],
  ] as const) {
    const lost = proxy[lose](writesTo(paths.schedule(name)));
    assert.equal((await put(name)).created, true);
    await lost;
    assert.equal((await put(name)).created, false);
    assert.equal((await observer.exists(paths.schedule(name)))?.version, 0);
    const removed = proxy[lose](writesTo(paths.schedule(name)));
    assert.equal(await removeSchedule(session, commits, name), true);
    await removed;
    assert.equal(await removeSchedule(session, commits, name), false);
  }
});

test('a change that stands is told as made, also where it is removed or the session ends before it is read again', async (t) => {
  const { session, observer } = await scheduling(t);
  class Watched extends GroupCommit {
    constructor(readonly afterwards: () => Promise<unknown>) {
      super(session);
    }
    override async commit(operations: readonly Operation[]): Promise<OperationResult[]> {
      const results = await super.commit(operations);
      await this.afterwards();
      return results;
    }
  }
  const changed = async (name: string, afterwards: () => Promise<unknown>) => {
    const { schedule, created } = await changeSchedule(session, new Watched(afterwards), name, () => record);
    assert.deepEqual([schedule.name, schedule.record, schedule.fault, created], [name, record, null, true]);
    assert.ok(schedule.createdAt > 0 && schedule.updatedAt === schedule.createdAt);
  };
  await changed('removed', () => removeSchedule(observer, new GroupCommit(observer), 'removed'));
  assert.equal(await observer.exists(paths.schedule('removed')), null);
  await changed('unread', () => session.close());
  assert.ok(await observer.exists(paths.schedule('unread')));
});

test('many put the same at the same time: one made it; the parent is made again; there may be only so many', async (t) => {
  const { session, commits, put } = await scheduling(t);
  const made = await Promise.all(Array.from({ length: 20 }, () => put('many')));
  assert.equal(made.filter(({ created }) => created).length, 1);
  for (const name of ['many', 's']) await removeSchedule(session, commits, name);
  await session.commit([{ kind: 'remove', path: paths.schedules, version: null }]);
  assert.deepEqual([await scheduleNames(session, ''), (await put('s')).created], [[], true]);
  const others = Array.from({ length: limits.schedulesMax - 1 }, (_, i) => create(paths.schedule(`o${i}`)));
  for (let first = 0; first < others.length; first += 250) await session.commit(others.slice(first, first + 250));
  await assert.rejects(put('one-more'), TooManySchedules);
  assert.equal((await put('s', { catchUp: 3 })).created, false);
  await removeSchedule(session, commits, 'o1');
  assert.equal((await put('one-more')).created, true);
});

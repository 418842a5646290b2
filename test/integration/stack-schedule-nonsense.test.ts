// Goal: what people leave among the schedules costs nobody but the schedule itself: no master ends, and the others go on ticking.
// Method: stacks of real processes, and nonsense that a client of its own writes into the tree beside a good schedule.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { calmSessionMs, type Stack, startStack } from '../support/stack.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);
const task = { type: 'echo' };

/** A stack with a schedule `good` that makes a task every second. */
async function ticking(t: Parameters<typeof startStack>[0]): Promise<Stack> {
  const stack = await startStack(t, zookeeper, { masters: 2, sessionTimeoutMs: calmSessionMs });
  const good = { everyMs: 1000, task, overlap: 'allow' };
  assert.equal((await stack.client.request('PUT', '/schedules/good', good)).status, 201);
  await goesOn(stack, 1);
  return stack;
}

// biome-ignore lint/suspicious/noExplicitAny: as it comes over the wire
type Body = any;

async function scheduleOf(stack: Stack, name = 'good'): Promise<Body> {
  const { status, body } = await stack.client.request('GET', `/schedules/${name}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** It makes `count` tasks more from now on. */
async function goesOn(stack: Stack, count = 2): Promise<void> {
  const { runs } = await scheduleOf(stack);
  await eventually('it goes on ticking', async () => (await scheduleOf(stack)).runs >= runs + count);
}

test('times beyond the ends of time: no master ends, the other schedules go on, and all can be read', async (t) => {
  const stack = await ticking(t);
  const session = await stack.session;
  const daily = { v: 1, cron: '0 3 * * *', task };
  const ends = ['+275760-09-13T00:00:00.000Z', '-271821-04-20T00:00:00.000Z', '9999-12-31T23:59:59.999Z'];
  let names = 0;
  for (const at of ends) {
    for (const timeZone of ['Europe/Berlin', 'America/New_York', 'UTC']) {
      for (const members of [
        { ...daily, timeZone },
        { v: 1, everyMs: 31_536_000_000, task },
      ]) {
        const path = `/schedules/odd-${names++}`;
        await session.create(path, JSON.stringify({ ...members, since: at }));
        await session.create(`${path}/ticks`, JSON.stringify({ v: 1, at, lastSkip: { at, why: 'unfinished' } }));
      }
      await session.create(`/schedules/odd-${names++}`, JSON.stringify({ ...daily, timeZone, since: at }));
      await session.create(
        '/tasks/task-',
        JSON.stringify({ v: 1, ...task, submittedAt: at, runAt: at, deadlineMs: 1e9 }),
        'sequential',
      );
    }
  }
  await goesOn(stack);
  for (const path of ['/schedules', '/tasks?limit=100', '/schedules/odd-0', '/stats']) {
    const { status, body } = await stack.client.request('GET', path);
    assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`);
  }
  const { body }: Body = await stack.client.request('GET', '/schedules');
  assert.equal(body.schedules.length, names + 1);
});

test('/schedules is removed: it is made again, and schedules can be put as before', async (t) => {
  const stack = await ticking(t);
  const session = await stack.session;
  assert.equal((await stack.client.request('DELETE', '/schedules/good')).status, 204);
  const before = await session.exists('/schedules');
  await session.remove('/schedules');
  await eventually('it is made again', async () => {
    const stat = await session.exists('/schedules');
    return stat !== null && stat.czxid !== before?.czxid;
  });
  // By hand, since a gateway would make the parent itself.
  await session.create('/schedules/good', JSON.stringify({ v: 1, everyMs: 1000, overlap: 'allow', task }));
  await eventually('it ticks', async () => (await scheduleOf(stack)).runs >= 2);
});

interface Counted {
  readonly next: number;
  readonly unfinished: number;
}

/** What gateways and whoever scrapes are told of the sequence, once they are told `expected`. */
async function untilTold(stack: Stack, isExpected: (next: number) => boolean): Promise<void> {
  const session = await stack.session;
  await eventually('/backlog says how far it has counted', async () => {
    const znode = await session.getData('/backlog');
    return isExpected((JSON.parse(znode?.data.toString() ?? '{}') as Counted).next);
  });
  for (const { process } of stack.masters) {
    await eventually('each master measures it', async () => {
      const admin = process.logs.find(({ msg }) => msg === 'started')?.['admin'];
      const text = await (await fetch(`http://${admin}/metrics`)).text();
      return isExpected(Number(/^taskkeeper_newest_task_number (\S+)$/m.exec(text)?.[1]) + 1);
    });
  }
}

test('tasks that people name as they like: schedules, submits and counts go by the sequence all the same', async (t) => {
  const stack = await ticking(t);
  const session = await stack.session;
  const far = '/tasks/task-9999999999';
  await session.create(far, 'echo hello');
  await eventually('it is done', () => session.exists(`${far}/status`));
  await goesOn(stack);
  await untilTold(stack, (next) => next > 0 && next < 1000);
  await session.removeAll(far);
  await goesOn(stack);
  // One that comes soon, where submits and ticks would be refused for ever.
  const { id } = await stack.client.submit(task);
  const soon = Number(id.slice('task-'.length)) + 20;
  await session.create(`/tasks/task-${String(soon).padStart(10, '0')}`, 'echo soon');
  for (let place = 0; place < 20; place += 1) await stack.client.submit(task);
  await goesOn(stack);
  await untilTold(stack, (next) => next > soon && next < 1000);
  assert.equal((await scheduleOf(stack)).skipped, 0);
});

test('/tasks is removed and made again: numbers begin anew for everybody', async (t) => {
  const stack = await ticking(t);
  const session = await stack.session;
  for (let place = 0; place < 60; place += 1) await stack.client.run(task);
  await untilTold(stack, (next) => next >= 60);
  await eventually('/tasks is removed', async () => {
    for (const name of (await session.getChildren('/tasks'))?.children ?? []) await session.removeAll(`/tasks/${name}`);
    return session.remove('/tasks').then(
      () => true,
      () => false, // a tick came between
    );
  });
  await untilTold(stack, (next) => next < 50);
  await goesOn(stack);
  await untilTold(stack, (next) => next > 0 && next < 60);
  assert.equal((await stack.client.run(task)).state, 'succeeded');
});

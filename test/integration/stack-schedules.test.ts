// Goal: each tick of a schedule makes one task and no more, whatever master leads, and overlap, catch-up, pause and runs by hand are as
// they are told. Method: stacks of real processes; what was made is read from the tree, where each task says for which tick it is.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Json } from '../../domain/task.ts';
import { wholeFile } from '../support/cleanup.ts';
import { eventually } from '../support/eventually.ts';
import { calmSessionMs, type Stack, startStack } from '../support/stack.ts';
import { startZkCli } from '../support/zkcli.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const zookeeper = await startZooKeeper(wholeFile);

// biome-ignore lint/suspicious/noExplicitAny: as it comes over the wire
type Schedule = any;

async function put(stack: Stack, name: string, definition: object): Promise<Schedule> {
  const { status, body } = await stack.client.request('PUT', `/schedules/${name}`, definition);
  assert.ok(status === 200 || status === 201, JSON.stringify(body));
  return body;
}

async function ask(stack: Stack, method: string, path: string, expected: number): Promise<Schedule> {
  const { status, body } = await stack.client.request(method, `/schedules/${path}`);
  assert.equal(status, expected, JSON.stringify(body));
  return body;
}

interface Made {
  readonly id: string;
  /** Epoch ms; null for a run by hand. */
  readonly at: number | null;
  /** By the ensemble's clock. */
  readonly createdAt: number;
  readonly isCancelled: boolean;
}

/** The tasks of the schedule, in order of their creation. */
async function madeBy(stack: Stack, name: string): Promise<Made[]> {
  const session = await stack.session;
  const ids = (await session.getChildren('/tasks'))?.children.sort() ?? [];
  const read = async (id: string): Promise<Made[]> => {
    const znode = await session.getData(`/tasks/${id}`);
    const { schedule } = JSON.parse(znode?.data.toString() ?? '{}') as {
      schedule?: { name: string; at: string | null };
    };
    if (!znode || schedule?.name !== name) return [];
    const at = schedule.at === null ? null : Date.parse(schedule.at);
    const isCancelled = (await session.exists(`/tasks/${id}/cancel`)) !== null;
    return [{ id, at, createdAt: znode.stat.ctime, isCancelled }];
  };
  return (await Promise.all(ids.map(read))).flat();
}

function untilMade(stack: Stack, name: string, count: number): Promise<Made[]> {
  return eventually(`${name} has made ${count}`, async () => {
    const made = await madeBy(stack, name);
    return made.length >= count && made;
  });
}

/** One task for each of the ticks from the first on, none twice and none left out. */
function assertEachTickOnce(made: readonly Made[], since: number, everyMs: number): void {
  const ticks = made.map(({ at }) => at);
  assert.deepEqual(
    ticks,
    ticks.map((_, place) => since + (place + 1) * everyMs),
  );
}

const echo = { type: 'echo' };
const sleeper = { type: 'sleep', payload: { ms: 600_000 } };

test('every second for more than ten, while leaders are killed: each tick exactly once, none missing', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 2 });
  const definition = { everyMs: 1000, task: echo, overlap: 'allow', catchUp: 100 };
  const { since } = await put(stack, 's', definition);
  for (const count of [3, 8]) {
    await untilMade(stack, 's', count);
    const leader = await stack.leader();
    leader.process.kill('SIGKILL');
    await put(stack, 's', definition); // as a deployment would at any time
    await stack.addMaster();
    await eventually('another leads', async () => (await stack.leader()) !== leader);
  }
  const made = await untilMade(stack, 's', 14);
  assertEachTickOnce(made, Date.parse(since), 1000);
  const late = made.map(({ at, createdAt }) => createdAt - (at ?? 0));
  t.diagnostic(`ms after the tick: ${late.join(', ')}`);
  const { runs, missed, skipped, lastTaskId, lastRunAt } = await ask(stack, 'GET', 's', 200);
  assert.deepEqual([missed, skipped], [0, 0]);
  const all = await madeBy(stack, 's');
  assert.ok(runs >= 14 && runs <= all.length, `${runs}`);
  assert.equal(all.find(({ id }) => id === lastTaskId)?.at, Date.parse(lastRunAt));
});

test('on an idle system a task is made within 100 ms of its tick', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  await put(stack, 'cron', { cron: '* * * * * *', timeZone: 'Europe/Berlin', task: echo, overlap: 'allow' });
  await put(stack, 'interval', { everyMs: 1000, task: echo, overlap: 'allow' });
  const made = [...(await untilMade(stack, 'cron', 6)), ...(await untilMade(stack, 'interval', 6))];
  const late = made.map(({ at, createdAt }) => createdAt - (at ?? 0)).sort((a, b) => a - b);
  t.diagnostic(`ms after the tick: ${late.join(', ')}`);
  assert.ok((late[0] ?? -1) >= 0);
  // Other tests share the machine, so one of them may be late.
  assert.ok((late.at(-2) ?? Infinity) < 100, late.join(', '));
  for (const { at } of await madeBy(stack, 'cron')) assert.equal((at ?? 1) % 1000, 0);
});

test('while a task is unfinished ticks make none, another one, or one in its place', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  await Promise.all(
    (['skip', 'allow', 'replace'] as const).map((overlap) =>
      put(stack, overlap, { everyMs: 1000, task: sleeper, overlap }),
    ),
  );
  const allowed = await untilMade(stack, 'allow', 4);
  assert.ok(allowed.every(({ isCancelled }) => !isCancelled));
  const skipping = await eventually('three were skipped', async () => {
    const schedule = await ask(stack, 'GET', 'skip', 200);
    return schedule.skipped >= 3 && schedule;
  });
  const [only, ...others] = await madeBy(stack, 'skip');
  assert.deepEqual(others, []);
  assert.deepEqual([skipping.runs, skipping.lastTaskId, skipping.lastSkip.why], [1, only?.id, 'unfinished']);
  const replaced = await untilMade(stack, 'replace', 4);
  assert.deepEqual(
    replaced.slice(0, 3).map(({ isCancelled }) => isCancelled),
    [true, true, true],
  );
  for (const { id } of replaced.slice(0, 3)) {
    const { state, error } = await stack.client.wait(id);
    assert.deepEqual([state, error?.code], ['cancelled', 'cancelled']);
    assert.match(error?.message ?? '', /the next tick of schedule replace/);
  }
  // Once the task is final, the next tick makes one again.
  await stack.client.request('POST', `/tasks/${only?.id}/cancel`);
  assert.equal((await untilMade(stack, 'skip', 2)).length, 2);
});

test('paused it makes nothing, by hand it does; resumed it goes on from then; deleted it is gone, its tasks are not', async (t) => {
  const stack = await startStack(t, zookeeper, { sessionTimeoutMs: calmSessionMs });
  await put(stack, 's', { everyMs: 1000, task: echo, overlap: 'allow', catchUp: 100 });
  await put(stack, 'clock', { everyMs: 1000, task: echo, overlap: 'allow' });
  await untilMade(stack, 's', 2);
  await ask(stack, 'POST', 's/pause', 200);
  const before = await madeBy(stack, 's');
  const byHand = await ask(stack, 'POST', 's/run', 201);
  await untilMade(stack, 'clock', (await madeBy(stack, 'clock')).length + 3);
  const meanwhile = (await madeBy(stack, 's')).slice(before.length).map(({ id }) => id);
  assert.deepEqual(meanwhile, [byHand.id]);
  const { since } = await ask(stack, 'POST', 's/resume', 200);
  const made = (await untilMade(stack, 's', before.length + 3)).slice(before.length + 1);
  assertEachTickOnce(made, Date.parse(since), 1000);
  await ask(stack, 'DELETE', 's', 204);
  assert.equal(await (await stack.session).exists('/schedules/s'), null);
  await ask(stack, 'GET', 's', 404);
  const kept = (await madeBy(stack, 's')).length;
  await untilMade(stack, 'clock', (await madeBy(stack, 'clock')).length + 3);
  assert.equal((await madeBy(stack, 's')).length, kept);
});

test('without a master schedules can be put, looked at and run; the first to lead makes up what was missed', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 0, sessionTimeoutMs: calmSessionMs });
  const { since, nextRunAt } = await put(stack, 'all', { everyMs: 1000, task: echo, overlap: 'allow', catchUp: 100 });
  await put(stack, 'one', { everyMs: 1000, task: echo, overlap: 'allow', catchUp: 1 });
  await put(stack, 'none', { cron: '* * * * * *', task: echo, overlap: 'allow', catchUp: 0 });
  const skip = await put(stack, 'skip', { everyMs: 1000, task: sleeper, overlap: 'skip', catchUp: 100 });
  const { id } = await ask(stack, 'POST', 'all/run', 201);
  await eventually('four ticks have passed', () => Date.now() > Date.parse(since) + 5000);
  assert.equal((await ask(stack, 'GET', 'all', 200)).nextRunAt, nextRunAt);
  await stack.addMaster();
  const made = (await untilMade(stack, 'all', 6)).filter((task) => task.id !== id);
  assertEachTickOnce(made, Date.parse(since), 1000);
  const { missed } = await ask(stack, 'GET', 'all', 200);
  assert.equal(missed, 0);
  await untilMade(stack, 'one', 2);
  await untilMade(stack, 'none', 1);
  const [one, none] = [await ask(stack, 'GET', 'one', 200), await ask(stack, 'GET', 'none', 200)];
  assert.ok(one.missed >= 2 && none.missed >= 3, `${one.missed} ${none.missed}`);
  const [newest] = await untilMade(stack, 'skip', 1);
  const { runs, missed: before } = await ask(stack, 'GET', 'skip', 200);
  assert.ok(runs === 1 && before >= 2, `${runs} ${before}`);
  assert.equal(newest?.at, Date.parse(skip.since) + (before + 1) * 1000, 'the newest of those that were missed');
});

test('written by hand they work, and nonsense beside them is shown and stepped around', async (t) => {
  const stack = await startStack(t, zookeeper, { masters: 2, sessionTimeoutMs: calmSessionMs });
  const cli = await startZkCli(t, stack.connect);
  const session = await stack.session;
  for (const [name, data] of [
    ['empty', ''],
    ['text', 'every day at noon'],
    ['cron', '{"v":1,"cron":"noon","task":{"type":"echo"}}'],
    ['both', '{"v":1,"cron":"* * * * *","everyMs":1000,"task":{"type":"echo"}}'],
    ['newer', '{"v":2,"everyMs":1000,"task":{"type":"echo"}}'],
    ['no-task', '{"v":1,"everyMs":1000}'],
  ] as const) {
    await session.create(`/schedules/${name}`, data);
  }
  await session.create('/schedules/not a name', '{}');
  await session.create('/schedules/text/below', 'x');
  await cli.run(`create /schedules/by-hand '{"v":1,"everyMs":1000,"task":{"type":"shell","payload":"echo hello"}}'`);
  const [first] = await untilMade(stack, 'by-hand', 1);
  const since = (await session.exists('/schedules/by-hand'))?.mtime ?? 0;
  assert.equal(first?.at, since + 1000);
  const { result } = await stack.client.wait(first?.id ?? '');
  assert.equal((result as { stdout: Json }).stdout, 'hello\n');
  const { schedules } = (await stack.client.request('GET', '/schedules')).body as unknown as { schedules: Schedule[] };
  const unreadable = schedules.filter(({ fault }) => fault !== null).map(({ name }) => name);
  assert.deepEqual(unreadable, ['both', 'cron', 'empty', 'newer', 'no-task', 'text']);
  for (const master of stack.masters) {
    const told = master.process.logs.filter((line) => line['path'] === '/schedules/cron');
    assert.equal(told.length, 1);
    assert.match(told[0]?.msg ?? '', /makes nothing: its "cron" must have five fields/);
  }
  await session.create('/schedules/by-hand/note', 'x');
  await ask(stack, 'DELETE', 'by-hand', 204);
  await ask(stack, 'DELETE', 'newer', 204);
  assert.equal(await session.exists('/schedules/by-hand'), null);
});

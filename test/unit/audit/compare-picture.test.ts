// A picture that is as the tree differs in nothing, and one that is not differs in just that. (That the pictures of real masters are as
// their tree is, is for test/integration/audit.test.ts.)

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { comparePicture } from '../../../audit/compare-picture.ts';
import { expectedTask, expectedWorker } from '../../../audit/expected-picture.ts';
import { type MasterPicture, NoPicture, pictureOf } from '../../../audit/master-picture.ts';
import { lookAt } from '../../../audit/suspicion.ts';
import { tasksIn, workersIn } from '../../../audit/tree-survey.ts';
import type { PictureLine, PictureTask, PictureWorker } from '../../../domain/master-picture.ts';
import { defaultQueueSettings } from '../../../domain/queue-settings.ts';
import type { TaskId, WorkerId } from '../../../domain/task.ts';
import { assignment, attempt, type ForgedTree, forgedAt, healthyTree, register, status, task } from './forged-tree.ts';

const [one, two, three] = [1, 2, 3].map((number) => `task-000000000${number}` as TaskId) as [TaskId, TaskId, TaskId];
const w1 = 'w1' as WorkerId;
const now = forgedAt + 1000;

/** One has ended, the second runs for the second time, the third waits; and there is a queue. */
function tree(): ForgedTree {
  return register(healthyTree(), 'w2')
    .create(`/tasks/${one}`, task())
    .create(`/tasks/${one}/status`, status())
    .create(`/tasks/${two}`, task())
    .create(`/tasks/${two}/attempt-1`, attempt())
    .create(`/assign/w1/${two}`, assignment({ attempt: 2 }))
    .create(`/tasks/${three}`, task({ queue: 'slow', runAt: forgedAt + 9000 }))
    .create('/queues/slow', '{"v":1,"concurrency":1}');
}

interface Changes {
  readonly tasks?: Readonly<Record<string, Partial<PictureTask> | null>>;
  readonly workers?: Readonly<Record<string, Partial<PictureWorker> | null>>;
  readonly queues?: MasterPicture['queues'];
  readonly queued?: number;
}

/** Of a master that knows all of it, but for some. */
function picture({ tasks = {}, workers = {}, queues, queued = 0 }: Changes = {}): MasterPicture {
  const look = lookAt(tree().snapshot());
  const all = workersIn(tree().snapshot());
  const its = <T extends object>(known: object | 'unclear' | null, change: Partial<T> | null | undefined) =>
    change === null || typeof known === 'string' ? [] : [{ ...known, ...change } as T];
  const knownTasks = tasksIn(tree().snapshot()).flatMap((id) =>
    its<PictureTask>(expectedTask(look, id, [...all], now), tasks[id]),
  );
  const knownWorkers = [...all].flatMap((id) => its<PictureWorker>(expectedWorker(look, id), workers[id]));
  const states = { scheduled: 1, queued, running: 1, succeeded: 1, failed: 0, cancelled: 0 };
  return {
    ...{ leading: true, now, sums: { states, queues: { default: 1, slow: 1 } } },
    tasks: new Map(knownTasks.map((known) => [known.id, known])),
    workers: new Map(knownWorkers.map((known) => [known.id, known])),
    queues: queues ?? new Map([['slow', { ...defaultQueueSettings, concurrency: 1 }]]),
  };
}

function differing(changes: Changes, hidden: readonly string[] = []): string[] {
  return comparePicture(picture(changes), tree().snapshot(hidden)).map(({ path }) => path);
}

test('a picture that is as the tree differs in nothing', () => {
  assert.deepEqual(comparePicture(picture(), tree().snapshot()), []);
});

test('whatever else it has of a task is told', () => {
  const running = { assignments: [], state: 'queued' } as const;
  const cases: readonly (readonly [TaskId, Partial<PictureTask>])[] = [
    [one, { fact: 'unread' }],
    [one, { status: null }],
    [two, { attempts: [] }],
    [two, { retryAt: null }],
    [two, { cancel: true }],
    [three, { unblocked: true }],
    [three, { decided: true }],
  ];
  for (const [id, change] of cases) assert.deepEqual(differing({ tasks: { [id]: change } }), [`/tasks/${id}`]);
  // Its own sums tell of a state, too.
  assert.deepEqual(differing({ tasks: { [two]: running }, queued: 1 }), [`/tasks/${two}`, '/tasks']);
  const [difference] = comparePicture(picture({ tasks: { [two]: { cancel: true } } }), tree().snapshot());
  assert.equal(difference?.what, 'cancel is false, and it has true');
});

test('tasks, workers and settings that only one of both has are told', () => {
  assert.deepEqual(differing({ tasks: { [one]: null } }), [`/tasks/${one}`, '/tasks']);
  const gone = comparePicture(picture(), tree().remove(`/tasks/${three}`).snapshot());
  assert.equal(gone[0]?.path, `/tasks/${three}`);
  assert.match(gone[0]?.what ?? '', /^is not there, and it knows of \{"id":"task-0000000003",/);
  assert.deepEqual(differing({ workers: { w2: null } }), ['/workers/w2']);
  assert.deepEqual(differing({ workers: { w2: { reachable: false } } }), ['/workers/w2']);
  assert.deepEqual(differing({ queues: new Map() }), ['/queues/slow']);
});

test('a slot that is taken by nothing, or by what is not counted, is told', () => {
  assert.deepEqual(differing({ workers: { w1: { strays: [three] } } }), ['/workers/w1']);
  const [known] = picture().tasks.get(two)?.assignments ?? [];
  assert.ok(known);
  const assignments = [{ ...known, counted: false }];
  assert.deepEqual(differing({ tasks: { [two]: { assignments } } }), [`/tasks/${two}`]);
});

test('what is said of one life of a worker is not said of the next', () => {
  const without = tree().remove('/workers/w2').remove('/assign/w2').snapshot();
  const said = ['3', '9'].map((czxid) => {
    const registered = { czxid, version: 0, concurrency: 2 };
    return comparePicture(picture({ workers: { w2: { registered } } }), without)[0]?.what;
  });
  assert.ok(said[0]);
  assert.notEqual(said[0], said[1]);
});

test('sums are those of its own lines', () => {
  assert.deepEqual(differing({ queued: 1 }), ['/tasks']);
  // One whose state is not known may be counted as any, and as no more than one.
  const hidden = [`/tasks/${one}/status`];
  const unread = { tasks: { [one]: { status: 'unread', state: null } } } as const;
  assert.deepEqual(differing({ ...unread }, hidden), []);
  assert.deepEqual(differing({ ...unread, queued: 1 }, hidden), ['/tasks']);
});

test('of a hidden task nothing is expected, not even that it is known', () => {
  const hidden = [`/tasks/${three}`];
  // Its own sums tell of a state, too.
  assert.deepEqual(differing({ tasks: { [three]: { fact: 'unread', state: 'scheduled' } } }, hidden), ['/tasks']);
  assert.deepEqual(differing({ tasks: { [three]: null } }, hidden), ['/tasks']);
});

test('of a task with something hidden below it, or hidden assignments, only that it is there is expected', () => {
  const cases = [
    [one, `/tasks/${one}/status`],
    [two, `/tasks/${two}/attempt-1`],
    [two, `/assign/w1/${two}`],
  ] as const;
  for (const [id, hidden] of cases) {
    assert.deepEqual(differing({ tasks: { [id]: { retryAt: 7 } } }, [hidden]), [], hidden);
    assert.deepEqual(differing({ tasks: { [id]: null } }, [hidden]), [`/tasks/${id}`, '/tasks'], hidden);
  }
  for (const name of ['cancel', 'unblocked']) {
    const path = `/tasks/${three}/${name}`;
    const with3 = tree().create(path);
    assert.deepEqual(comparePicture(picture(), with3.snapshot([path])), [], path);
    assert.deepEqual(comparePicture(picture(), with3.snapshot())[0]?.path, `/tasks/${three}`);
  }
});

test('what could not be read, and is gone, may have been hidden; what was read is missed', () => {
  const without = (...paths: string[]) => {
    const rest = tree();
    for (const path of paths) rest.remove(path);
    return rest.snapshot();
  };
  const told = (changes: Changes, ...removed: string[]) =>
    comparePicture(picture(changes), without(...removed)).map(({ path }) => path);
  const unread = { fact: 'unread', state: null } as const;
  assert.deepEqual(told({ tasks: { [three]: unread } }, `/tasks/${three}`), []);
  assert.deepEqual(told({}, `/tasks/${three}`), [`/tasks/${three}`]);
  assert.deepEqual(told({ tasks: { [one]: { status: 'unread' } } }, `/tasks/${one}/status`), []);
  assert.deepEqual(told({}, `/tasks/${one}/status`), [`/tasks/${one}`]);
  const assignments = [{ worker: w1, czxid: null, version: null, attempt: null, withdraw: null, counted: true }];
  assert.deepEqual(told({ tasks: { [two]: { assignments } } }, `/assign/w1/${two}`), []);
  assert.deepEqual(told({}, `/assign/w1/${two}`), [`/tasks/${two}`]);
  const w2 = ['/workers/w2', '/assign/w2'];
  assert.deepEqual(told({ workers: { w2: { registered: 'unread' } } }, ...w2), []);
  assert.deepEqual(told({}, ...w2), ['/workers/w2']);
  // It is there and can be read, so that it was not is a fault.
  assert.deepEqual(told({ tasks: { [three]: unread } }), [`/tasks/${three}`]);
});

test('of a task of which something is of a newer version only that it is there is expected', () => {
  const newer = [
    [one, tree().set(`/tasks/${one}/status`, '{"v":2,"state":"succeeded"}')],
    [two, tree().set(`/tasks/${two}/attempt-1`, '{"v":2}')],
    [two, tree().set(`/assign/w1/${two}`, '{"v":2}')],
  ] as const;
  for (const [id, changed] of newer) {
    const differing = (changes: Changes) =>
      comparePicture(picture(changes), changed.snapshot()).map(({ path }) => path);
    assert.deepEqual(differing({ tasks: { [id]: { retryAt: 7 } } }), []);
    assert.deepEqual(differing({ tasks: { [id]: null } }), [`/tasks/${id}`, '/tasks']);
  }
  const itself = tree().set(`/tasks/${three}`, '{"v":2}').snapshot();
  assert.equal(comparePicture(picture(), itself)[0]?.path, `/tasks/${three}`);
});

test('an ephemeral task is known as that, and as nothing else', () => {
  const path = '/tasks/task-0000000009';
  const ephemeral = tree().create(path, task(), 3n).snapshot();
  const known = expectedTask(lookAt(ephemeral), 'task-0000000009' as TaskId, [w1], now);
  assert.ok(known && known !== 'unclear' && known.fact && known.fact !== 'unread');
  assert.deepEqual([known.fact.content, known.fact.queue, known.state], ['ephemeral', null, 'queued']);
});

test('a picture without its end is none', async () => {
  const { sums, tasks, workers, queues } = picture();
  const lines: PictureLine[] = [
    { kind: 'start', leading: true, now, sums },
    ...[...workers.values()].map((worker) => ({ kind: 'worker', worker }) as const),
    ...[...queues].map(([name, settings]) => ({ kind: 'queue', name, settings }) as const),
    ...[...tasks.values()].map((its) => ({ kind: 'task', task: its }) as const),
  ];
  const text = lines.map((line) => JSON.stringify(line));
  await assert.rejects(pictureOf(text), NoPicture);
  const read = await pictureOf([...text, JSON.stringify({ kind: 'end' })]);
  assert.deepEqual(comparePicture(read, tree().snapshot()), []);
  assert.equal(read.tasks.size, 3);
  assert.ok(w1 in Object.fromEntries(read.workers));
});

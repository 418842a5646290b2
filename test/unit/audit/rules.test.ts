// Every rule of the audit with a tree that breaks it, and nothing else, and with its like that does not.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditTree } from '../../../audit/audit-tree.ts';
import type { RuleName } from '../../../audit/finding.ts';
import { keyPaths } from '../../../coordination/key-paths.ts';
import { encodeKey } from '../../../coordination/znode-records.ts';
import { limits } from '../../../domain/limits.ts';
import type { TaskId } from '../../../domain/task.ts';
import {
  assignment,
  attempt,
  type ForgedTree,
  forgedAt,
  healthyTree,
  register,
  sessions,
  status,
  task,
  worker,
} from './forged-tree.ts';

interface Case {
  /** Breaks the rule. */
  readonly bad: () => ForgedTree;
  /** Does not, though it is near. */
  readonly good: () => ForgedTree;
  /** What is told of the good one is another thing. */
  readonly told?: readonly RuleName[];
}

const one = '/tasks/task-0000000001';
const two = '/tasks/task-0000000002';
const run1 = '/assign/w1/task-0000000001';
const run2 = '/assign/w1/task-0000000002';
const failure = { state: 'failed', error: { code: 'handler_error', message: 'no' } } as const;
const later = forgedAt + 60_000;

function withTask(change = {}): ForgedTree {
  return healthyTree().create(one, task(change));
}

function running(change = {}): ForgedTree {
  return withTask(change).create(run1, assignment());
}

/** Two tasks with one exclusive key. */
function line(): ForgedTree {
  return withTask({ exclusiveKey: 'k' }).create(two, task({ exclusiveKey: 'k' }));
}

/** Comes after the task `one`. */
function follower(): ForgedTree {
  return withTask().create(two, task({ after: ['task-0000000001' as TaskId] }));
}

function keyed(submitId = 's1', keySubmitId = submitId): ForgedTree {
  const { bucket, path } = keyPaths('k');
  const tree = healthyTree().create(bucket);
  return tree.together(() => {
    tree.create(path, encodeKey({ fingerprint: 'f', submitId: keySubmitId, nextNumber: 0 }));
    tree.create(one, task({ idempotencyKey: 'k', submitId }));
  });
}

/** The others have tests of their own: quiet.test.ts, compare-picture.test.ts. */
const cases: Readonly<Record<Exclude<RuleName, `quiet-${string}` | `picture-${string}`>, Case>> = {
  'status-changed': {
    bad: () => withTask().create(`${one}/status`, status()).set(`${one}/status`, status()),
    good: () => withTask().set(one, task()).create(`${one}/status`, status()),
  },
  'removed-alone': {
    bad: () => withTask().create(`${one}/cancel`).remove(`${one}/cancel`),
    good: () => withTask().create(`${one}/cancel`),
  },
  'attempt-changed': {
    bad: () => withTask().create(`${one}/attempt-1`, attempt()).set(`${one}/attempt-1`, attempt()),
    good: () => withTask().create(`${one}/attempt-1`, attempt()),
  },
  'attempts-numbers': {
    bad: () => withTask().create(`${one}/attempt-2`, attempt({ attempt: 2 })),
    good: () => withTask().create(`${one}/attempt-1`, attempt()),
  },
  'attempts-order': {
    bad: () =>
      withTask()
        .create(`${one}/attempt-2`, attempt({ attempt: 2 }))
        .create(`${one}/attempt-1`, attempt()),
    good: () =>
      withTask()
        .create(`${one}/attempt-1`, attempt())
        .create(`${one}/attempt-2`, attempt({ attempt: 2 })),
  },
  'attempts-too-many': {
    bad: () =>
      withTask({ maxAttempts: 1 })
        .create(`${one}/attempt-1`, attempt())
        .create(run1, assignment({ attempt: 2 })),
    good: () =>
      withTask({ maxAttempts: 2 })
        .create(`${one}/attempt-1`, attempt())
        .create(run1, assignment({ attempt: 2 })),
  },
  'attempt-after-end': {
    bad: () =>
      withTask()
        .create(`${one}/status`, status({ state: 'cancelled' }))
        .create(`${one}/attempt-1`, attempt()),
    good: () => withTask().create(`${one}/status`, 'done').create(`${one}/attempt-1`, attempt()),
  },
  'attempt-without-end': {
    bad: () => withTask().create(`${one}/attempt-1`, attempt({ retryAt: null })),
    good: () => {
      const tree = withTask();
      return tree.together(() => {
        tree.create(`${one}/status`, status(failure)).create(`${one}/attempt-1`, attempt({ retryAt: null }));
      });
    },
  },
  'end-without-attempt': {
    bad: () => withTask().create(`${one}/status`, status(failure)),
    good: () => withTask().create(`${one}/status`, status({ ...failure, worker: null })),
  },
  'end-of-ended-attempt': {
    bad: () =>
      withTask()
        .create(`${one}/attempt-1`, attempt({ outcome: 'lost' }))
        .create(`${one}/status`, status()),
    good: () =>
      withTask()
        .create(`${one}/attempt-1`, attempt())
        .create(`${one}/status`, status({ attempt: 2 })),
  },
  'assigned-twice': {
    bad: () => register(running(), 'w2').create('/assign/w2/task-0000000001', assignment()),
    good: () => register(running(), 'w2').remove(run1).create('/assign/w2/task-0000000001', assignment()),
  },
  'assigned-and-ended': {
    bad: () => running().create(`${one}/status`, status()),
    good: () => running().create(`${one}/status`, 'done'),
    told: ['leftover-assignment'],
  },
  'assigned-attempt': {
    bad: () => withTask().create(run1, assignment({ attempt: 2 })),
    good: () =>
      withTask()
        .create(`${one}/attempt-1`, attempt())
        .create(run1, assignment({ attempt: 2 })),
  },
  'assigned-early': {
    bad: () => running({ runAt: later }),
    good: () => withTask({ runAt: later }).create(run1),
  },
  'assigned-before-let-go': {
    bad: () => follower().create(run2, assignment()),
    good: () => follower().create(run2),
  },
  'assigned-to-unfit': {
    bad: () =>
      register(withTask({ type: 'mail' }), 'w2', { types: ['echo'] }).create(
        '/assign/w2/task-0000000001',
        assignment(),
      ),
    good: () => {
      const tree = register(withTask({ type: 'mail' }), 'w2', { types: ['mail'] });
      return tree.create('/assign/w2/task-0000000001', assignment()).set('/workers/w2', worker({ types: ['echo'] }));
    },
  },
  'worker-overloaded': {
    bad: () => {
      const tree = register(healthyTree(), 'w2', { concurrency: 1 }).create(one, task()).create(two, task());
      return tree.create('/assign/w2/task-0000000001', assignment()).create('/assign/w2/task-0000000002', assignment());
    },
    good: () => running().create(two, task()).create(run2, assignment()),
  },
  'key-shared': {
    bad: () => line().create(run1, assignment()).create(run2, assignment()),
    good: () => line().create(run1, assignment()),
  },
  'key-out-of-turn': {
    bad: () => line().create(run2, assignment()),
    // What comes after others may have stepped aside.
    good: () => {
      const tree = follower().create('/tasks/task-0000000003', task({ exclusiveKey: 'k' }));
      tree.set(two, task({ exclusiveKey: 'k', after: ['task-0000000001' as TaskId] }));
      return tree.create('/assign/w1/task-0000000003', assignment());
    },
  },
  'submitted-twice': {
    bad: () => withTask({ submitId: 's' }).create(two, task({ submitId: 's' })),
    good: () => {
      const tree = healthyTree();
      return tree.together(() => {
        tree.create(one, task({ submitId: 's', batch: { index: 0, size: 2 } }));
        tree.create(two, task({ submitId: 's', batch: { index: 1, size: 2 } }));
      });
    },
  },
  'keyed-without-key': {
    bad: () => withTask({ idempotencyKey: 'k', submitId: 's1' }),
    good: () => keyed(),
  },
  'master-not-ephemeral': {
    bad: () => healthyTree().remove('/master').create('/master', 'me'),
    good: () => healthyTree(),
  },
  'master-without-epoch': {
    bad: () => healthyTree().set('/epoch', 'somebody'),
    good: () => healthyTree().remove('/epoch').create('/epoch'),
  },
  'leftover-assignment': {
    bad: () => running().create(`${one}/status`, 'done'),
    good: () => running().create(`${one}/status`, 'done').remove(run1),
  },
  'assigned-without-task': {
    bad: () => running().remove(one),
    good: () => running(),
  },
  'assigned-to-nobody': {
    bad: () => running().remove('/workers/w1'),
    good: () => running(),
  },
  'assigned-to-former-life': {
    bad: () => running().remove('/workers/w1').create('/workers/w1', worker(), 3n),
    good: () => running().set('/workers/w1', worker({ draining: true })),
  },
  'folder-without-worker': {
    bad: () => healthyTree().create('/assign/w2'),
    good: () => register(healthyTree(), 'w2'),
  },
  'worker-without-folder': {
    bad: () => healthyTree().remove('/assign/w1'),
    good: () => healthyTree(),
  },
  'key-without-tasks': {
    bad: () => keyed().remove(one),
    good: () => keyed(),
  },
  'nobody-leads': {
    bad: () => healthyTree().remove('/master'),
    good: () => healthyTree(),
  },
  'missing-parent': {
    bad: () => healthyTree().remove('/queues'),
    good: () => healthyTree(),
  },
  'sequence-near-end': {
    bad: () => healthyTree().alter('/tasks', { cversion: 2 * Math.ceil(limits.taskNumberMax * 0.91) }),
    good: () => healthyTree().alter('/tasks', { cversion: limits.taskNumberMax }),
  },
  'worker-overloaded-by-hand': {
    bad: () => {
      const tree = register(healthyTree(), 'w2', { concurrency: 1 }).create(one, task()).create(two, task());
      return tree.create('/assign/w2/task-0000000001', assignment()).create('/assign/w2/task-0000000002');
    },
    // A former life's are not counted.
    good: () => {
      const tree = healthyTree().create('/assign/w2').create(one, task()).create(two, task());
      tree.create('/assign/w2/task-0000000001').create('/workers/w2', worker({ concurrency: 1 }), 3n);
      return tree.create('/assign/w2/task-0000000002');
    },
    told: ['assigned-to-former-life'],
  },
  'key-shared-by-hand': {
    bad: () => line().create(run1, assignment()).create(run2),
    good: () => line().create(run2),
  },
  'queue-overfull': {
    bad: () => running().create('/queues/default', '{"v":1,"concurrency":0}'),
    good: () => running({ queue: 'other' }).create('/queues/default', '{"v":1,"concurrency":0}'),
  },
  'let-go-early': {
    bad: () => follower().create(`${two}/unblocked`),
    good: () => follower().create(`${one}/status`, status()).create(`${two}/unblocked`),
  },
  'ran-before-let-go': {
    bad: () => follower().create(`${two}/status`, status()),
    good: () => follower().create(`${two}/status`, status({ ...failure, worker: null, startedAt: null })),
  },
  'master-by-hand': {
    bad: () => healthyTree().remove('/master').create('/master', 'me', 3n),
    good: () => healthyTree(),
  },
  'no-worker': {
    bad: () => healthyTree().create('/assign/w2').create('/workers/w2', worker()),
    good: () => healthyTree().create('/assign/w2').create('/workers/w2', '127.0.0.1:7', 3n),
  },
  'no-task': {
    bad: () => healthyTree().create(one, '{"type":"echo"}'),
    good: () => healthyTree().create(one, 'echo hello'),
  },
  'empty-task': {
    bad: () => healthyTree().create(one),
    good: () => healthyTree().create(one, 'echo hello'),
  },
  unreadable: {
    bad: () => withTask().create(`${one}/status`, '{"state":"done"}'),
    good: () => withTask().create(`${one}/status`, 'done'),
  },
  'not-taken': {
    bad: () => healthyTree().create('/queues/default', '{"v":1,"concurency":1}'),
    good: () => healthyTree().create('/queues/default', '{"v":1,"concurrency":1}'),
  },
  'newer-record': {
    bad: () => healthyTree().create(one, '{"v":2,"type":"echo"}'),
    good: () => healthyTree().create(one, '{"v":1,"type":"echo"}'),
  },
  'not-persistent': {
    bad: () => healthyTree().create(one, task(), sessions.worker),
    good: () => withTask(),
  },
  'unknown-name': {
    bad: () => healthyTree().create('/tasks/note', 'buy milk'),
    // Names at the root that are not ours are somebody else's.
    good: () => healthyTree().create('/kafka'),
  },
  hidden: {
    bad: () => withTask().create(`${one}/status`),
    good: () => withTask().create(`${one}/status`),
  },
};

/** Only what that rule is about may not be read. */
const hidden = ['/tasks/task-0000000001/status'];

function told(tree: ForgedTree, unread: readonly string[]): RuleName[] {
  return [...new Set(auditTree(tree.snapshot(unread)).map(({ rule }) => rule))];
}

const unreadable: Readonly<Record<string, () => ForgedTree>> = {
  '/tasks/task-0000000001/attempt-1': () => withTask().create(`${one}/attempt-1`, 'it failed'),
  '/assign/w1/task-0000000001': () => withTask().create(run1, 'please'),
  '/workers/w2': () => healthyTree().create('/assign/w2').create('/workers/w2', '{"concurrency":3}', 3n),
  '/queues/default': () => healthyTree().create('/queues/default', 'paused'),
  '/schedules/nightly': () => healthyTree().create('/schedules/nightly', '{"v":1,"cron":"never"}'),
  '/schedules/nightly/ticks': () => schedule().create('/schedules/nightly/ticks', 'none'),
  '/backlog': () => healthyTree().create('/backlog', 'many'),
  [keyPaths('k').path]: () => healthyTree().create(keyPaths('k').bucket).create(keyPaths('k').path, 'mine'),
};

function schedule(): ForgedTree {
  return healthyTree().create('/schedules/nightly', '{"v":1,"everyMs":60000,"task":{"type":"echo"}}');
}

for (const [path, tree] of Object.entries(unreadable)) {
  test(`unreadable: ${path}`, () => {
    const findings = auditTree(tree().snapshot()).filter(({ rule }) => rule === 'unreadable');
    assert.deepEqual(
      findings.map((finding) => finding.path),
      [path],
    );
  });
}

test('schedules with and without ticks', () => {
  const ticks = '{"v":1,"at":"2026-01-02T03:04:05.000Z","runs":1}';
  assert.deepEqual(told(schedule(), []), []);
  assert.deepEqual(told(schedule().create('/schedules/nightly/ticks', ticks), []), []);
});

for (const [rule, { bad, good, told: others = [] }] of Object.entries(cases)) {
  test(`${rule}: a tree that breaks it, and one that does not`, () => {
    assert.deepEqual(told(bad(), rule === 'hidden' ? hidden : []), [rule]);
    assert.deepEqual(told(good(), []), others);
  });
}

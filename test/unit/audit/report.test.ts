// What is printed: the state of the system first, then findings with the time of their last change, and what to do about each rule.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DatedFinding, finding, type RuleName, rules } from '../../../audit/finding.ts';
import { hintOf } from '../../../audit/hints.ts';
import { changedAt } from '../../../audit/moment.ts';
import { jsonReport, type Report, sorted, textReport } from '../../../audit/report.ts';
import type { SnapshotNode } from '../../../audit/tree-snapshot.ts';
import type { TaskId } from '../../../domain/task.ts';
import { healthyTree, task } from './forged-tree.ts';

const at = Date.parse('2026-01-02T03:04:05.678Z');
const hintCharactersMax = 100;

function found(rule: RuleName, path: string, changedAt: number | null = at): DatedFinding {
  return { ...finding(rule, path, 'is wrong'), changedAt };
}

function report(change: Partial<Report> = {}): Report {
  const unfinished = { scheduled: 1, queued: 2, running: 3, leftAlone: 0 };
  const oldestQueued = { id: 'task-0000000007' as TaskId, since: at };
  return {
    ...{ connect: 'a:1,b:2/c', server: 'b:2', tookMs: 1234, znodes: 20, tasks: 10, masters: [] },
    standing: { leader: { kind: 'ours', address: 'm:7', since: at }, workers: 4, unfinished, oldestQueued },
    ...{ findings: [], unsettled: 0, dropped: 0 },
    ...change,
  };
}

test('the head says which ZooKeeper was asked, who leads, and what waits since when', () => {
  assert.deepEqual(textReport(report()).split('\n'), [
    'ZooKeeper: a:1,b:2/c, asked at b:2: 20 znodes, 10 tasks, read in 1.2 s',
    'leader: m:7 since 2026-01-02T03:04:05.678Z',
    'workers: 4',
    'unfinished tasks: 6 (1 scheduled, 2 queued, 3 running); task-0000000007 is queued since 2026-01-02T03:04:05.678Z',
    '0 violations, 0 odd',
  ]);
  const idle = { scheduled: 0, queued: 0, running: 0, leftAlone: 1 };
  const leaders = [{ kind: 'nobody' }, { kind: 'stranger', since: at }, { kind: 'hidden' }] as const;
  const told = leaders.map((leader) => {
    const standing = { leader, workers: 0, unfinished: idle, oldestQueued: null };
    return textReport(report({ standing })).split('\n');
  });
  assert.deepEqual(
    told.map(([, leader]) => leader),
    [
      'leader: nobody',
      'leader: somebody else than a master of ours since 2026-01-02T03:04:05.678Z',
      'leader: not known, as /master may not be read',
    ],
  );
  assert.equal(told[0]?.[3], 'unfinished tasks: 1 (0 scheduled, 0 queued, 0 running, 1 left alone)');
});

test('findings have the time of their last change, and what to do stands once below those of a rule', () => {
  const gone = found('nobody-leads', '/master', null);
  const findings = sorted([gone, found('no-worker', '/workers/b'), found('no-worker', '/workers/a')]);
  assert.deepEqual(textReport(report({ findings })).split('\n').slice(4), [
    'odd no-worker: /workers/a is wrong (last changed 2026-01-02T03:04:05.678Z)',
    'odd no-worker: /workers/b is wrong (last changed 2026-01-02T03:04:05.678Z)',
    '  what to do: `delete` it',
    'odd nobody-leads: /master is wrong',
    `  what to do: ${hintOf('nobody-leads')}`,
    '0 violations, 3 odd; docs/audit.md says what to do',
  ]);
  const many = Array.from({ length: 21 }, (_, n) => found('no-worker', `/workers/${n}`));
  assert.deepEqual(
    textReport(report({ findings: many }))
      .split('\n')
      .slice(-3),
    ['no-worker: and 1 more', '  what to do: `delete` it', '0 violations, 21 odd; docs/audit.md says what to do'],
  );
});

test('programs get all of that as fields', () => {
  const findings = [found('no-worker', '/workers/a'), found('assigned-twice', '/assign/a/b', null)];
  const { server, leader, workers, unfinished, oldestQueued, ...rest } = JSON.parse(jsonReport(report({ findings })));
  const since = '2026-01-02T03:04:05.678Z';
  assert.deepEqual([server, leader, workers], ['b:2', { kind: 'ours', address: 'm:7', since }, 4]);
  assert.deepEqual(unfinished, { scheduled: 1, queued: 2, running: 3, leftAlone: 0 });
  assert.deepEqual(oldestQueued, { id: 'task-0000000007', since });
  assert.deepEqual([rest.violations, rest.odd, rest.tasks, rest.znodes], [1, 1, 10, 20]);
  assert.deepEqual(rest.findings, [
    { ...finding('no-worker', '/workers/a', 'is wrong'), changedAt: since, hint: '`delete` it' },
    { ...finding('assigned-twice', '/assign/a/b', 'is wrong'), changedAt: null, hint: hintOf('assigned-twice') },
  ]);
});

test('every rule that a live system is asked has a hint, one short line', () => {
  for (const rule of Object.keys(rules) as RuleName[]) {
    const hint = hintOf(rule);
    assert.equal(hint === null, rule.startsWith('quiet-'), rule);
    if (hint === null) continue;
    assert.ok(hint.length > 0 && hint.length <= hintCharactersMax && !hint.includes('\n'), `${rule}: ${hint.length}`);
  }
});

test('a znode was last changed when it, or what is below it, was', () => {
  const tree = healthyTree().create('/tasks/task-0000000001', task()).create('/tasks/task-0000000001/cancel');
  const moment = new Map<string, SnapshotNode | null>(tree.snapshot(['/queues']));
  const set = (path: string, mtime: number) => {
    const node = moment.get(path);
    assert.ok(node);
    moment.set(path, { ...node, stat: { ...node.stat, mtime } });
  };
  set('/tasks/task-0000000001', at);
  set('/tasks/task-0000000001/cancel', at + 5);
  set('/master', at + 9);
  moment.set('/gone', null);
  assert.equal(changedAt(moment, '/tasks/task-0000000001'), at + 5);
  assert.equal(changedAt(moment, '/master'), at + 9);
  for (const path of ['/gone', '/never', '/queues']) assert.equal(changedAt(moment, path), null, path);
});

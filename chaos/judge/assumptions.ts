// What judging relies on: that the record is whole and in itself without contradiction, and that the tree is what a quiet system left. Where
// one of these does not hold the run says nothing of the system. Pure.

import type { TreeSnapshot } from '../../audit/tree-snapshot.ts';
import { paths } from '../../coordination/znode-paths.ts';
import { allowances } from './allowances.ts';
import type { History } from './history.ts';
import { isReadable } from './runs.ts';

/** One sentence for each that fails; the first few of a kind are enough. */
export function* brokenAssumptions(history: History): Generator<string> {
  const checks = [
    beginningAndEnd(history),
    faultsOver(history),
    processesKnown(history),
    evidenceWhole(history),
    trafficSound(history),
    tasksKnown(history),
    treeWhole(history.tree),
    nothingForgotten(history),
  ];
  for (const check of checks) yield* firstFew(check);
}

const shownMax = 5;

function* firstFew(sentences: Iterable<string>): Generator<string> {
  let more = 0;
  let shown = 0;
  for (const sentence of sentences) {
    if (shown === shownMax) more += 1;
    else yield sentence;
    shown = Math.min(shown + 1, shownMax);
  }
  if (more > 0) yield `and ${more} more like that`;
}

function* beginningAndEnd({ began, ended }: History): Generator<string> {
  if (began.length !== 1) yield `the record says ${began.length} times that it began`;
  if (ended.length !== 1) yield `the record is cut off: it says ${ended.length} times that it ended`;
  const [[first], [last]] = [began, ended];
  if (!first || !last) return;
  const lastedMs = last.at - first.at;
  if (!(first.sessionTimeoutMs > 0)) yield `sessions have a timeout of ${first.sessionTimeoutMs} ms`;
  if (lastedMs >= allowances.retentionMs) yield `it lasted ${lastedMs} ms, and tasks may go by themselves after that`;
  const driftMs = last.epochMs - first.epochMs - lastedMs;
  if (Math.abs(driftMs) > allowances.clocksMs) yield `the wall clock was set, or drifted, by ${driftMs} ms meanwhile`;
}

function* faultsOver({ faults }: History): Generator<string> {
  for (const { n, fault, to, lines } of faults.spans) {
    const [first] = lines;
    if (to === Infinity) yield `fault ${n}, ${fault}, was never over`;
    if (lines.length > 2 || lines.some((line) => line.fault !== fault || line.from !== first?.from)) {
      yield `the lines of fault ${n} do not fit together`;
    }
  }
}

function* processesKnown({ processes, ended }: History): Generator<string> {
  for (const { id, pid } of processes.orphanedExits) yield `${id} with pid ${pid} ended, and never started`;
  const endedAt = ended[0]?.at ?? Infinity;
  for (const id of processes.ids) {
    const exit = processes.livesOf(id).at(-1)?.exit;
    if (exit && exit.at < endedAt) yield `${id} was not running at the end`;
  }
}

function* evidenceWhole({ runLines, runs, tasks, requests }: History): Generator<string> {
  for (const line of runLines) if (!isReadable(line)) yield `a run of ${line.task} has the token ${line.token}`;
  for (const { task, token, pid, life, starts, startAt } of runs) {
    if (life?.role !== 'worker') yield `run ${token} of ${task} belongs to pid ${pid}, which is no known worker`;
    if (starts.length === 0 || starts[0]?.at !== startAt) yield `run ${token} of ${task} does not begin with its start`;
    const isKnown = tasks.has(task) || requests.acknowledged.has(task) || requests.mayBeDeleted(task);
    if (!isKnown) yield `nobody has made ${task}, which ran`;
  }
}

function* trafficSound({ calls, requests }: History): Generator<string> {
  for (const call of calls) {
    if (call.from > call.to) yield `a call ended before it began: ${JSON.stringify(call)}`;
  }
  for (const [marker, asked] of requests.byMarker) {
    const [first] = asked;
    const isRepetition = asked.every(({ call }) => call.request.key !== null && sameKey(call, first?.call));
    if (asked.length > 1 && !isRepetition) yield `marker ${marker} was submitted ${asked.length} times without one key`;
  }
}

function sameKey(a: { request: { key: string | null } }, b: { request: { key: string | null } } | undefined): boolean {
  return a.request.key === b?.request.key;
}

/** One that a schedule made has nobody who submitted it. */
function* tasksKnown({ tasks, requests }: History): Generator<string> {
  for (const { id, record } of tasks.values()) {
    if (record?.schedule || requests.acknowledged.has(id)) continue;
    const marker = record?.labels['marker'];
    if (marker === undefined || !requests.byMarker.has(marker)) yield `the record knows nobody who made ${id}`;
  }
}

function* treeWhole(tree: TreeSnapshot): Generator<string> {
  if (!tree.has(paths.tasks)) yield `the tree has no ${paths.tasks}`;
  for (const [path, { children, stat }] of tree) {
    if (children.length !== stat.numChildren) yield `${path} has ${stat.numChildren} children, not ${children.length}`;
    for (const name of children) if (!tree.has(`${path}/${name}`)) yield `${path}/${name} was not read`;
  }
}

/**
 * The ensemble has kept what it had committed. It gives no name twice; one that was answered to two submits as new, while the tree has nothing of
 * one of them, it has forgotten and given again. (ZooKeeper 3.8.0 can lose transactions when a follower that had lost its
 * leader is restarted: ZOOKEEPER-4409, ZOOKEEPER-4541, ZOOKEEPER-4643 and others.)
 */
function* nothingForgotten({ requests, tasks }: History): Generator<string> {
  const kept = new Set([...tasks.values()].map(({ record }) => record?.labels['marker']));
  const given = new Map<string, string>();
  for (const { request, outcome } of requests.submits) {
    if (outcome.is !== 'yes' || outcome.created === false) continue;
    for (const [place, { id }] of outcome.tasks.entries()) {
      const marker = request.tasks[place]?.marker ?? '';
      const other = given.get(id) ?? marker;
      given.set(id, marker);
      const isForgotten = other !== marker && !(kept.has(other) && kept.has(marker));
      if (isForgotten)
        yield `the ensemble forgot what it had committed: ${id} was made for ${other}, and again for ${marker}`;
    }
  }
}

/** An ensemble that may have lost what it had committed, by its own words: whatever is wrong may come from that. */
export function* ensembleBugs({ ensembleBugs }: History): Generator<string> {
  for (const { id, where } of ensembleBugs) {
    yield `${id} had a null in ${where}: this ZooKeeper may have lost what was committed (ZOOKEEPER-4409 and its kin)`;
  }
}

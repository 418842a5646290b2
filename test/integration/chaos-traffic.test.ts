// Goal: the traffic of a chaos run does all that it is for, its record is whole, and what handlers have left fits to it; all that on a system
// of which nothing is broken, so that what a judge finds in a run is not the traffic's own doing.
// Method: traffic on a calm stack, from a seed that soon draws everything, until all of it has been done; the record, the tree and the evidence side by side.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { evidenceFile, writeEvidenceHandlers } from '../../chaos/evidence/evidence-modules.ts';
import { readEvidence } from '../../chaos/evidence/read-evidence.ts';
import { Random } from '../../chaos/random.ts';
import { type Call, type RunLine, type SeenTask, wrongRefusal } from '../../chaos/record.ts';
import { startTraffic } from '../../chaos/traffic/traffic.ts';
import { decodeTask } from '../../coordination/task-record.ts';
import { decodeStatus } from '../../coordination/znode-records.ts';
import { Changes } from '../support/changes.ts';
import { calmSessionMs, startStack } from '../support/stack.ts';
import { temporaryFolder } from '../support/stack-handlers.ts';
import type { TestSession } from '../support/stack-session.ts';
import { startZooKeeper } from '../support/zookeeper-server.ts';

const everything = [
  ...['submit', 'get', 'watch'].flatMap((operation) => [`${operation} http`, `${operation} grpc`]),
  ...['retry', 'cancel', 'delete', 'list', 'stats', 'explain', 'put-queue', 'put-schedule'],
];

const callsMin = 300;

/** Of a system that is well: what was asked for was too late, too early, or given up by the client itself. */
const calmRefusals =
  /^(task-(already-final|not-final|not-retryable|not-found)|dependency-not-found|the client left|no answer within|DEADLINE_EXCEEDED)/;

it('does everything, and leaves a record and evidence that fit to the tree', async (t) => {
  const folder = temporaryFolder(t);
  const zookeeper = await startZooKeeper(t);
  const HANDLERS_DIR = writeEvidenceHandlers(folder);
  const stack = await startStack(t, zookeeper, {
    gateways: 2,
    sessionTimeoutMs: calmSessionMs,
    worker: { HANDLERS_DIR },
  });
  const calls: Call[] = [];
  const done = new Set<string>();
  const changes = new Changes();
  const traffic = startTraffic(t, {
    gateways: stack.gateways.map(({ id, client: { url }, grpcAddress }) => ({ id, url, grpcAddress })),
    random: new Random('calm-2870'),
    evidence: evidenceFile(folder),
    record: (call) => {
      calls.push(call);
      for (const name of namesOf(call)) done.add(name);
      changes.announce();
    },
  });
  const missing = () => everything.filter((name) => !done.has(name));
  await changes.until(
    () => (missing().length === 0 && calls.length >= callsMin ? true : null),
    60_000,
    (expired) => (expired ? new Error(`never done: ${missing()}`) : null),
  );
  await traffic.stop();
  assert.deepEqual(await traffic.drain(30_000), []);
  assert.deepEqual(
    calls.flatMap(refusalOf).filter((reason) => !calmRefusals.test(reason)),
    [],
  );
  const tree = await readTree(await stack.session);
  assertAcknowledged(calls, tree);
  assertEvidence(readEvidence(evidenceFile(folder)), tree);
  t.diagnostic(`${calls.length} calls, ${tree.size} tasks`);
});

function namesOf({ request, face, outcome }: Call): string[] {
  if (outcome.is !== 'yes') return [];
  if (request.operation === 'other') return [request.what];
  return [request.operation, `${request.operation} ${face}`];
}

function refusalOf({ outcome }: Call): string[] {
  if (outcome.is !== 'yes') assert.ok(!outcome.reason.startsWith(wrongRefusal), outcome.reason);
  return outcome.is === 'yes' ? [] : [outcome.reason];
}

interface Stored {
  readonly marker: string | undefined;
  readonly type: string | null;
  readonly state: string | null;
  readonly attempt: number | null;
  readonly result: unknown;
}

async function readTree(session: TestSession): Promise<Map<string, Stored>> {
  const { children: ids } = (await session.getChildren('/tasks')) ?? { children: [] };
  const stored = await Promise.all(ids.map(async (id) => [id, await readTask(session, `/tasks/${id}`)] as const));
  return new Map(stored);
}

async function readTask(session: TestSession, path: string): Promise<Stored> {
  const [task, end] = await Promise.all([session.getData(path), session.getData(`${path}/status`)]);
  const reading = task && decodeTask(task.data, task.stat.ctime);
  const record = reading?.kind === 'task' ? reading.record : null;
  const status = end && decodeStatus(end.data, end.stat.ctime);
  const { state = null, attempt = null } = status ?? {};
  const result = status?.state === 'succeeded' ? status.result : null;
  return { marker: record?.labels['marker'], type: record?.type ?? null, state, attempt, result };
}

/** Each is there with its marker and its end, as it was shown; a key has one task, whatever it was asked for. */
function assertAcknowledged(calls: readonly Call[], tree: ReadonlyMap<string, Stored>): void {
  const deleted = new Set(calls.flatMap(({ request }) => (request.operation === 'delete' ? [request.id] : [])));
  const byMarker = new Map<string, string>();
  const made = calls.flatMap(({ request, outcome }) =>
    request.operation === 'submit' && outcome.is === 'yes'
      ? request.tasks.map(({ marker }, n) => ({ marker, task: outcome.tasks[n] as SeenTask }))
      : [],
  );
  for (const { marker, task } of made) {
    assert.equal(byMarker.get(marker) ?? task.id, task.id, `${marker} has two tasks`);
    byMarker.set(marker, task.id);
    const stored = tree.get(task.id);
    if (!stored && deleted.has(task.id)) continue;
    assert.equal(stored?.marker, marker);
    assert.notEqual(stored.state, null, `${task.id} is not final`);
  }
  for (const { outcome } of calls) {
    for (const { id, state, finishedAt } of outcome.is === 'yes' ? outcome.tasks : []) {
      if (finishedAt !== null && tree.has(id)) assert.equal(state, tree.get(id)?.state, id);
    }
  }
}

/** What succeeded has a run that returned, with the token that is in the result. */
function assertEvidence(lines: readonly RunLine[], tree: ReadonlyMap<string, Stored>): void {
  const returned = new Map(lines.flatMap((line) => (line.how === 'returned' ? [[keyOf(line), line.token]] : [])));
  const began = new Set(lines.flatMap((line) => (line.line === 'start' ? [keyOf(line)] : [])));
  const succeeded = [...tree].filter(([, { state }]) => state === 'succeeded');
  for (const [id, { type, attempt, result }] of succeeded) {
    const told = type === 'shell' ? JSON.parse((result as { stdout: string }).stdout) : result;
    const key = keyOf({ task: id, attempt: attempt ?? 0 });
    assert.equal(returned.get(key), told.token, id);
    assert.ok(began.has(key), id);
  }
  assert.ok(succeeded.length > 0 && returned.size < began.size, 'some failed');
}

function keyOf({ task, attempt }: Pick<RunLine, 'task' | 'attempt'>): string {
  return `${task} ${attempt}`;
}

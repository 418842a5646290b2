// Our stack beside BullMQ (with every write fsynced, as ours are, and without persistence) and beside a front without any queue:
// the same driver, the same loads, one system after the other in each repetition, each with a server of its own that is started
// afresh. Prints every figure, and the ratios that are aimed at. See README.md.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from '../../scripts/build.mjs';
import { aims, ratiosOf } from './aims.mjs';
import { missingRedis, startRedis } from './redis.mjs';

const usage = `node run.mjs [options]

  --reps 5       repetitions, each with all systems
  --n 20000      tasks of W1 and W3; a tenth of it for W2 one at a time, a fifth for sixteen
  --only W1,W2   some of W1, W2, W3
  --out FILE     where the JSON lines go
  --more FILE    adds repetitions to those of an earlier run on this machine with the same --n, whose lines these are`;

const missing = missingRedis();
const { values: options } = parseArgs({
  options: {
    ...{ reps: { type: 'string', default: '5' }, n: { type: 'string', default: '20000' } },
    ...{
      only: { type: 'string', default: 'W1,W2,W3' },
      out: { type: 'string' },
      more: { type: 'string' },
      help: { type: 'boolean' },
    },
  },
});
if (options.help || missing) {
  console.log(options.help ? usage : missing);
  process.exit(options.help ? 0 : 1);
}
build();
const { startDriver } = await import('../../dist/bench/driver.js');
const { Figures, figureTable, formatNumber, formatTable, isAimKept, keyOf, toJsonLine } = await import(
  '../../dist/bench/figures.js'
);
const { describeMachine, differences, machineLine } = await import('../../dist/bench/machine.js');
const { readCount } = await import('../../dist/bench/options.js');
const { cpuSeconds } = await import('../../dist/test/support/process-usage.js');
const { parseRun } = await import('../../dist/bench/run-file.js');
const { RunScope } = await import('../../dist/test/support/run-scope.js');
const { startBenchStack } = await import('../../dist/bench/stack.js');
const { median } = await import('../../dist/bench/statistics.js');
const { w1, w2many, w2one, w3 } = await import('../../dist/bench/works/throughput.js');
const { benchFolder, startBenchZooKeeper, versionOf } = await import('../../dist/bench/zookeeper.js');
const { endWithParent } = await import('../../dist/scripts/end-with-parent.js');
const { findFreePort } = await import('../../dist/scripts/ports.js');
const { onCleanup } = await import('../../dist/test/support/cleanup.js');

const concurrency = 50;
const ratioUnit = 'times';
/** Of each kind: as many as Java's compiler and V8's take to be done with what is run all the time (Java's takes a hundred thousand in all). */
const warmUpTasks = 50_000;
const systems = ['ours', 'bullmq-durable', 'bullmq', 'memory'];
const allWorks = [w1, w2one, w2many, w3];
const shortName = ({ name }) => name.slice(0, 2);
const figures = new Figures();
const { tasks, repetitions, works } = readOrRefuse(readSizes);
let machine;
await withScope(async (scope) => {
  machine = describeMachine(await versionOf(await startBenchZooKeeper(scope)));
});
const earlier = options.more === undefined ? [] : readOrRefuse(readEarlier);
for (const { values, ...name } of earlier.filter(({ unit }) => unit !== ratioUnit)) {
  for (const value of values) figures.add(name, value);
}
const repetitionsBefore = Math.max(0, ...earlier.map(({ values }) => values.length));

function readSizes() {
  const wanted = options.only.split(',');
  const unknown = wanted.filter((name) => !allWorks.some((work) => shortName(work) === name));
  if (unknown.length > 0) throw new Error(`--only: there is no ${unknown.join(' or ')}`);
  return {
    tasks: readCount('--n', options.n),
    repetitions: readCount('--reps', options.reps),
    works: allWorks.filter((work) => wanted.includes(shortName(work))),
  };
}

function readEarlier() {
  const { head, figures } = parseRun(readFileSync(options.more, 'utf8'));
  const before = { ...head, sizes: { tasks: head.sizes.tasks } };
  const different = differences(before, { machine, sizes: { tasks } });
  if (different.length > 0) throw new Error(`--more ${options.more}: ${different.join(' ')}`);
  return figures;
}

function readOrRefuse(read) {
  try {
    return read();
  } catch (error) {
    console.error(`${error.message}\n\n${usage}`);
    process.exit(1);
  }
}

/** Its port and the pids of its processes; all of it ends with the scope. */
async function start(system, scope) {
  if (system === 'ours') {
    const { port, pids } = await startBenchStack(scope);
    return { port, pids: pids() };
  }
  const queue = system === 'memory' ? 'memory' : 'bullmq';
  const redisPort = await findFreePort();
  const durable = system === 'bullmq-durable';
  const tools = { folder: benchFolder, port: redisPort, durable, endWithParent, onCleanup };
  const redis = queue === 'bullmq' ? await startRedis(scope, tools) : null;
  const worker = await startChild(scope, 'worker.mjs', [queue, redisPort, concurrency]);
  const front = await startChild(scope, 'front.mjs', [queue, redisPort]);
  const pids = { front: front.pid, worker: worker.pid, ...(redis && { redis: redis.pid }) };
  return { port: front.told.port, pids };
}

async function startChild(scope, file, args) {
  const env = { ...process.env, NODE_ENV: 'production' };
  const child = fork(fileURLToPath(new URL(file, import.meta.url)), args.map(String), { env, stdio: 'inherit' });
  const ended = once(child, 'exit');
  onCleanup(scope, async () => {
    child.kill('SIGKILL');
    await ended;
  });
  const [told] = await Promise.race([
    once(child, 'message'),
    ended.then(([code]) => Promise.reject(new Error(`${file} ended (${code}): is npm install done in bench/peers?`))),
  ]);
  return { pid: child.pid, told };
}

async function measure(system, scope) {
  const driver = startDriver(scope);
  const { port, pids } = await start(system, scope);
  await driver.run({ work: 'submit', port, tasks: warmUpTasks, inFlight: 64 });
  await driver.run({ work: 'roundTrips', port, tasks: 200, inFlight: 16 });
  await driver.run({ work: 'bulk', port, tasks: warmUpTasks, inFlight: 2 });
  for (const { name, load } of works) {
    const given = load(port, tasks);
    const before = Object.values(pids).map(cpuSeconds);
    const { seconds, roundTripMs } = await driver.run(given);
    const cpu = Object.values(pids).reduce((sum, pid, i) => sum + cpuSeconds(pid) - before[i], 0);
    const add = (figure, unit, better, value) =>
      figures.add({ figure: `${name}, ${system}: ${figure}`, unit, better }, value);
    add('rate', 'tasks/s', 'higher', given.tasks / seconds);
    for (const [rank, ms] of Object.entries(roundTripMs ?? {})) add(rank, 'ms', 'lower', ms);
    add('CPU', 'µs/task', 'lower', (cpu * 1e6) / given.tasks);
  }
}

async function withScope(use) {
  const scope = new RunScope();
  const stop = () => scope.close().finally(() => process.exit(130));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    await use(scope);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
    await scope.close();
  }
}

for (let repetition = 0; repetition < repetitions; repetition += 1) {
  for (let i = 0; i < systems.length; i += 1) {
    const system = systems[(i + repetition + repetitionsBefore) % systems.length];
    process.stderr.write(`${system}, ${repetition + 1} of ${repetitions}\n`);
    await withScope((scope) => measure(system, scope));
  }
}

const known = new Map(figures.list.map((figure) => [keyOf(figure), figure.values]));
const valuesOf = (system, work, figure) => known.get(`${work}, ${system}: ${figure}`) ?? [];
const rows = aims.flatMap((aim) => {
  const values = ratiosOf(aim, valuesOf);
  if (values.length === 0) return [];
  const isFloor = aim.atLeast !== undefined;
  const wanted = isFloor ? `at least ${aim.atLeast}` : `at most ${aim.atMost}`;
  const better = isFloor ? 'higher' : 'lower';
  const figure = `ours: ${aim.text} (${wanted})`;
  const name = { figure, unit: ratioUnit, better, aim: isFloor ? aim.atLeast : aim.atMost };
  for (const value of values) figures.add(name, value);
  const numbers = [median(values), Math.min(...values), Math.max(...values)].map(formatNumber);
  return [[aim.text, wanted, ...numbers, isAimKept({ ...name, values }) ? 'kept' : 'MISSED']];
});

const head = { machine, sizes: { tasks, repetitions: repetitionsBefore + repetitions } };
const stamp = head.machine.date.replace(/[:.]/g, '-');
const out = options.out ?? join(benchFolder, `peers-${stamp}.jsonl`);
const lines = [JSON.stringify(head), ...figures.list.map(toJsonLine)].join('\n');
mkdirSync(benchFolder, { recursive: true });
writeFileSync(out, `${lines}\n`);
console.log(`${lines}\n\n${machineLine(head.machine)}\n\n${figureTable(figures.list)}\n`);
console.log(formatTable([['ours, by repetition', 'aim', 'median', 'lowest', 'highest', ''], ...rows]));
console.log(`\nWritten to ${out}`);

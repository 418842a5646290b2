// What a scenario has to do with: a stack of its own, on ZooKeeper servers of its own, warm and at rest; the processes that make the loads and
// that watch the tree; and the looks before and after, by which everything has to be as it was.

import { auditLive } from '../../audit/live-audit.ts';
import { taskRecord } from '../../test/fault/task-record.ts';
import type { TestScope } from '../../test/support/cleanup.ts';
import { eventually } from '../../test/support/eventually.ts';
import { createTasks, roomForMany } from '../../test/support/many-tasks.ts';
import { calmSessionMs, type Stack, startStack } from '../../test/support/stack.ts';
import { startEnsemble } from '../../test/support/zookeeper-ensemble.ts';
import { startZooKeeper, type TestZooKeeper } from '../../test/support/zookeeper-server.ts';
import { type Child, startChild } from './child.ts';
import type { LoadActions } from './load-process.ts';
import type { FloodInput } from './loads/flood.ts';
import { collect, metricsOf, type Service, servicesOf, watchedPaths, watchesOf } from './processes.ts';
import type { Bound, Report } from './report.ts';
import type { Sizes } from './sizes.ts';
import type { WitnessActions } from './witness-process.ts';

type Environment = Readonly<Record<string, string | number>>;

export interface Scenario {
  readonly name: string;
  /** What it shows, for the list of scenarios. */
  readonly about: string;
  /** Beside what every stack has. */
  readonly environment?: (sizes: Sizes) => { readonly gateway?: Environment; readonly master?: Environment };
  readonly gateways?: number;
  readonly run: (world: World) => Promise<void>;
}

export interface WorldOptions {
  readonly scope: TestScope;
  readonly scenario: Scenario;
  readonly sizes: Sizes;
  readonly report: Report;
  readonly say: (progress: string) => void;
  /** Default ones of its own. */
  readonly zookeepers?: readonly TestZooKeeper[];
}

/** What there is of everything at rest. */
interface Rest {
  /** Finished, and kept. */
  readonly tasks: number;
  readonly watches: number;
  /** By process. */
  readonly heapMb: ReadonlyMap<string, number>;
  readonly residentMb: ReadonlyMap<string, number>;
  readonly files: ReadonlyMap<string, number>;
}

/** Loaded into each process, before everything else. */
const collectOnSignal = `--import ${new URL('./collect-on-signal.js', import.meta.url).href}`;
const production = { NODE_ENV: 'production', NODE_OPTIONS: collectOnSignal };
/** More than a run ever has. */
const unbounded = 10_000_000;
/** Timers, and connections that come and go, of the processes' own. */
const filesMoreMax = 4;
/** A master knows every task that is kept. */
const taskInMasterKb = 2;
const fillMsMax = 240_000;

export class World {
  readonly acknowledged: number[] = [];
  readonly #options: WorldOptions;
  #before: Rest | null = null;

  private constructor(
    options: WorldOptions,
    readonly stack: Stack,
    readonly servers: readonly TestZooKeeper[],
    readonly services: readonly Service[],
    readonly load: Child<LoadActions>,
    private readonly witness: Child<WitnessActions>,
  ) {
    this.#options = options;
  }

  /** Resolves when everything is warm, and its state at rest is known. */
  static async start(options: WorldOptions): Promise<World> {
    const { scope, sizes, say } = options;
    say('starting');
    const servers = options.zookeepers ?? (await startServers(scope, sizes));
    const stack = await startStack(
      scope,
      { connect: servers.map(({ connect }) => connect).join(',') },
      stackOptions(options),
    );
    const load = startChild<LoadActions>(scope, './load-process.js');
    const witness = startChild<WitnessActions>(scope, './witness-process.js');
    const world = new World(options, stack, servers, await servicesOf(stack), load, witness);
    await world.#fill();
    await witness.call('watchTasks', stack.connect);
    await world.flood({ seconds: sizes.warmUpSeconds });
    await world.untilDone();
    world.#before = await world.#look();
    return world;
  }

  get sizes(): Sizes {
    return this.#options.sizes;
  }

  get scope(): TestScope {
    return this.#options.scope;
  }

  /** Of the first gateway's HTTP. */
  get port(): number {
    return portOf(this.stack.client.url);
  }

  get gateway(): Service {
    return this.services[0] as Service;
  }

  say(progress: string): void {
    this.#options.say(progress);
  }

  add(figure: string, value: number, unit: string, bound: Bound | null = null): void {
    const { report, scenario, sizes } = this.#options;
    const name = sizes.among > 0 ? `${scenario.name} among ${sizes.among}` : scenario.name;
    report.add(name, figure, value, unit, bound);
  }

  fault(what: string): void {
    this.#options.report.fault(this.#options.scenario.name, what);
  }

  /** Adds how many there are of what must not be, and tells the first ones. */
  faults(figure: string, all: readonly string[]): void {
    this.add(figure, all.length, '', { exactly: 0 });
    for (const one of all.slice(0, 5)) this.fault(`${figure}: ${one}`);
  }

  /** Over both faces, unless told otherwise; what it was acknowledged will be judged. */
  async flood(input: Partial<FloodInput>) {
    const { stack, sizes, port } = this;
    const all = { httpPort: port, grpcAddress: stack.gateway.grpcAddress, type: 'echo', queue: 'default', tasks: 1 };
    const result = await this.load.call('flood', { ...all, lanes: sizes.lanes, seconds: sizes.phaseSeconds, ...input });
    for (const number of result.acknowledged) this.acknowledged.push(number);
    return result;
  }

  /** Tasks in a queue, in as few submits as there can be. Their numbers. */
  async submitMany(count: number, spec: object): Promise<number[]> {
    const numbers: number[] = [];
    while (numbers.length < count) {
      const tasks = Array(Math.min(1000, count - numbers.length)).fill(spec);
      const { status, body } = await this.stack.client.request('POST', '/tasks/batch', { tasks });
      if (status !== 201) throw new Error(`a batch was answered ${status}: ${JSON.stringify(body)}`);
      const { tasks: made } = body as unknown as { tasks: { id: string }[] };
      numbers.push(...made.map(({ id }) => Number(id.slice('task-'.length))));
    }
    for (const number of numbers) this.acknowledged.push(number);
    return numbers;
  }

  async setQueue(name: string, settings: object): Promise<void> {
    const { status, body } = await this.stack.client.request('PUT', `/queues/${name}`, settings);
    if (status !== 200) throw new Error(`PUT /queues/${name}: ${status} ${JSON.stringify(body)}`);
  }

  /** Requests and streams that wait at the first gateway. */
  async waiting(): Promise<number> {
    return (await metricsOf(this.gateway)).get('taskkeeper_waiting_requests') ?? Number.NaN;
  }

  async untilWaiting(count: number, timeoutMs = 60_000): Promise<void> {
    await eventually(`${count} wait`, async () => (await this.waiting()) === count, timeoutMs);
  }

  /** On all servers. */
  async watches(): Promise<number> {
    return (await watchedPaths(this.servers)).length;
  }

  /** How long it takes until ZooKeeper watches for no more than so many. */
  async untilWatches(what: string, watches: number): Promise<void> {
    const startedAt = performance.now();
    const left = async () => (await this.watches()) - watches;
    const { recoveryMs } = this.sizes.bounds;
    await eventually('no watch is left', async () => (await left()) <= 0, recoveryMs).catch(() => undefined);
    this.add(`${what}: watches left in ZooKeeper`, await left(), '', { atMost: 0 });
    this.add(`${what}: no watch is left after`, performance.now() - startedAt, 'ms');
  }

  /** Resolves when nothing is unfinished but what was there before. */
  async untilDone(timeoutMs = 120_000): Promise<void> {
    const isDone = async () => {
      const { scheduled = 0, queued = 0, running = 0 } = await this.#counts();
      return scheduled + running === 0 && queued === this.#waitingBefore;
    };
    await eventually('everything is done', isDone, timeoutMs);
  }

  /** The end of each scenario: everything is as it was, and what was acknowledged has become what it should. */
  async judge(): Promise<void> {
    this.say('coming to rest');
    const startedAt = performance.now();
    await this.untilDone().catch((error: Error) => this.fault(error.message));
    const { bounds } = this.sizes;
    const { tasks, watches, files, heapMb, residentMb } = await this.#atRest();
    const before = this.#before as Rest;
    this.add('back at rest after', performance.now() - startedAt, 'ms', { atMost: 2 * bounds.recoveryMs });
    this.add('waits left over', await this.waiting(), '', { exactly: 0 });
    this.add('watches left over in ZooKeeper', watches - before.watches, '', { atMost: 0 });
    for (const [id, mb] of heapMb) {
      const more = (of: ReadonlyMap<string, number>, now: number) => now - (of.get(id) ?? 0);
      this.add(`${id}: files left open`, more(before.files, files.get(id) ?? 0), '', { atMost: filesMoreMax });
      const forTasks = id.startsWith('master') ? ((tasks - before.tasks) * taskInMasterKb) / 1024 : 0;
      const atMost = bounds.heldMb + Math.max(0, forTasks);
      this.add(`${id}: held more than before`, more(before.heapMb, mb), 'MB', { atMost });
      this.add(`${id}: memory, then and now`, more(before.residentMb, residentMb.get(id) ?? 0), 'MB');
    }
    await this.#judgeTree();
  }

  async #judgeTree(): Promise<void> {
    const verdict = await this.witness.call('verdict', this.acknowledged);
    const none = { exactly: 0 };
    this.add('acknowledged', this.acknowledged.length, 'tasks');
    this.add('acknowledged and never made', verdict.neverMade, '', none);
    this.add('acknowledged and not final', verdict.notFinal, '', none);
    this.add('removed before they were final', verdict.removedUnfinished, '', none);
    this.add('final twice', verdict.endedTwice, '', none);
    const { findings } = await auditLive(await this.stack.session);
    const violations = findings.filter(({ severity }) => severity === 'violation');
    this.faults(
      'violations that an audit finds',
      violations.map(({ path, rule, what }) => `${path} ${what} (${rule})`),
    );
    if (verdict.isBlind) this.fault('the witness lost its link to ZooKeeper, so what it says is not all');
  }

  /** Waits for what takes its time to go: sockets that linger, a stream of events that nobody listens to any more. */
  async #atRest(): Promise<Rest> {
    const before = this.#before as Rest;
    const isBack = ({ watches, files }: Pick<Rest, 'watches' | 'files'>) =>
      watches <= before.watches && [...files].every(([id, open]) => open <= (before.files.get(id) ?? 0) + filesMoreMax);
    await eventually(
      'handles and watches are back',
      async () => isBack(await this.#handles()),
      this.sizes.bounds.recoveryMs,
    ).catch(() => undefined); // what is left is told by the figures
    return await this.#look();
  }

  async #handles(): Promise<Pick<Rest, 'watches' | 'files'>> {
    const files = this.services.map(async (service) => {
      const open = (await metricsOf(service)).get('process_open_fds') ?? Number.NaN;
      return [service.id, open] as const;
    });
    const watches = await watchesOf(this.servers);
    return { watches, files: new Map(await Promise.all(files)) };
  }

  async #look(): Promise<Rest> {
    const collected = await Promise.all(
      this.services.map(async (service) => [service.id, await collect(service)] as const),
    );
    const { succeeded = 0, failed = 0, cancelled = 0 } = await this.#counts();
    return {
      tasks: succeeded + failed + cancelled,
      ...(await this.#handles()),
      heapMb: new Map(collected.map(([id, { heapMb }]) => [id, heapMb])),
      residentMb: new Map(collected.map(([id, { residentMb }]) => [id, residentMb])),
    };
  }

  async #counts(): Promise<Readonly<Record<string, number>>> {
    const { body } = await this.stack.client.request('GET', '/stats');
    return (body as unknown as { tasks: Record<string, number> }).tasks;
  }

  get #waitingBefore(): number {
    return Math.floor(this.sizes.among / 2);
  }

  /** Straight into the tree, as gateways and workers would have left them. */
  async #fill(): Promise<void> {
    const { among } = this.sizes;
    if (among === 0) return;
    this.say(`making ${among} tasks`);
    const session = await this.stack.session;
    const now = Date.now();
    const times = { startedAt: now, finishedAt: now };
    const status = { state: 'succeeded', attempt: 1, worker: 'w', result: { n: 1 }, error: null, ...times } as const;
    const record = (n: number) =>
      taskRecord({ type: 'nobody-has-it', queue: 'before', payload: { n }, submittedAt: now });
    await createTasks(session, this.#waitingBefore, record);
    await createTasks(session, among - this.#waitingBefore, record, status);
    const known = async () => {
      const { queued, succeeded } = await this.#counts();
      return queued === this.#waitingBefore && succeeded === among - this.#waitingBefore;
    };
    await eventually(`the master knows ${among} tasks`, known, fillMsMax);
  }
}

export function portOf(url: string): number {
  return Number(new URL(url).port);
}

async function startServers(scope: TestScope, { servers }: Sizes): Promise<readonly TestZooKeeper[]> {
  if (servers === 1) return [await startZooKeeper(scope, roomForMany)];
  return (await startEnsemble(scope, { ...roomForMany, size: servers })).servers;
}

function stackOptions({ scenario, sizes }: WorldOptions) {
  const own = scenario.environment?.(sizes) ?? {};
  return {
    gateways: scenario.gateways ?? 1,
    sessionTimeoutMs: calmSessionMs,
    master: { ...production, MAX_FINISHED_TASKS: unbounded, ...own.master },
    worker: { ...production, WORKER_CONCURRENCY: 50 },
    gateway: { ...production, MAX_UNFINISHED_TASKS: unbounded, MAX_WAITS: sizes.waits, ...own.gateway },
  };
}

// What the processes of a run say of themselves, and the kernel and ZooKeeper of them.

import { loopTimerMs } from '../../runtime/metrics.ts';
import { percentile } from '../../test/support/many-tasks.ts';
import type { ServiceProcess } from '../../test/support/process.ts';
import { residentMegabytes } from '../../test/support/process-usage.ts';
import type { Stack } from '../../test/support/stack.ts';
import type { TestZooKeeper } from '../../test/support/zookeeper-server.ts';
import { collectedMessage } from './collect-on-signal.ts';

/** One of ours. */
export interface Service {
  readonly id: string;
  readonly process: ServiceProcess;
  /** `host:port` where it tells its metrics. */
  readonly address: string;
}

export async function servicesOf(stack: Stack): Promise<Service[]> {
  const gateways = stack.gateways.map(({ id, process, client }) => ({
    id,
    process,
    address: new URL(client.url).host,
  }));
  const others = [...stack.masters, ...stack.workers].map(async ({ id, process }) => {
    const { admin } = await process.waitForLog((line) => typeof line['admin'] === 'string');
    return { id, process, address: String(admin) };
  });
  return [...gateways, ...(await Promise.all(others))];
}

/** Its metrics by name, with labels where they have some. */
export async function metricsOf({ address }: Pick<Service, 'address'>): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://${address}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

export interface Collected {
  /** Heap and what is outside of it, in use. */
  readonly heapMb: number;
  readonly residentMb: number;
}

/** What it holds when everything that can be collected has been. */
export async function collect({ process }: Service): Promise<Collected> {
  const before = process.logs.filter(({ msg }) => msg === collectedMessage).length;
  process.kill('SIGUSR2');
  const line = await process.waitForLog(
    ({ msg, collections }) => msg === collectedMessage && Number(collections) > before,
    30_000,
  );
  const megabytes = (bytes: unknown) => Number(bytes) / 2 ** 20;
  return {
    heapMb: megabytes(line['heapUsed']) + megabytes(line['external']),
    residentMb: megabytes(line['rss']),
  };
}

/** Paths that the servers watch; without that of all assignments, which a gateway follows for some seconds after somebody asked what runs. */
export async function watchedPaths(servers: readonly TestZooKeeper[]): Promise<string[]> {
  const answers = await Promise.all(servers.map((server) => server.fourLetterWord('wchp', 20_000)));
  const paths = answers.flatMap((answer) => answer.split('\n').filter((line) => line.startsWith('/')));
  return paths.filter((path) => !path.endsWith('/assign'));
}

/**
 * How many they are beside the statuses of tasks: whoever looks at a task in the very moment of its end leaves a watch on that, which goes
 * with the task.
 */
export async function watchesOf(servers: readonly TestZooKeeper[]): Promise<number> {
  const paths = await watchedPaths(servers);
  return paths.filter((path) => !/\/tasks\/task-\d+\/status$/.test(path)).length;
}

interface Sample {
  /** Seconds from the first one. */
  readonly at: number;
  readonly residentMb: ReadonlyMap<string, number>;
  readonly loopDelayMs: ReadonlyMap<string, number>;
}

const sampleMs = 1000;

/** Looks at all processes once a second, until it is stopped. */
export class Sampler {
  readonly #services: readonly Service[];
  readonly #servers: readonly TestZooKeeper[];
  readonly #samples: Sample[] = [];
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #looking: Promise<void>;

  constructor(services: readonly Service[], servers: readonly TestZooKeeper[]) {
    this.#services = services;
    this.#servers = servers;
    this.#looking = this.#look();
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#look());
    }, sampleMs);
  }

  async stop(): Promise<Samples> {
    clearInterval(this.#timer);
    await this.#looking;
    return new Samples(this.#samples);
  }

  async #look(): Promise<void> {
    const pids = [
      ...this.#services.map(({ id, process }) => [id, process.pid] as const),
      ...this.#servers.map(({ pid }, i) => [`zookeeper${i + 1}`, pid] as const),
    ];
    const residentMb = new Map(pids.map(([id, pid]) => [id, residentMegabytes(pid) ?? Number.NaN]));
    const delays = await Promise.all(
      this.#services.map(async (service) => {
        // A gateway whose connections are all taken does not tell.
        const metrics = await metricsOf(service).catch(() => new Map<string, number>());
        const worst = (metrics.get('nodejs_eventloop_lag_max_seconds') ?? Number.NaN) * 1000 - loopTimerMs;
        return [service.id, Math.max(0, worst)] as const;
      }),
    );
    const at = (performance.now() - this.#startedAt) / 1000;
    this.#samples.push({ at, residentMb, loopDelayMs: new Map(delays) });
  }
}

export class Samples {
  constructor(private readonly samples: readonly Sample[]) {}

  get ids(): string[] {
    return [...(this.samples[0]?.residentMb.keys() ?? [])];
  }

  peakMb(id: string): number {
    return Math.max(...this.#resident(id));
  }

  /** The median of the last quarter against that of the second, in which everything is warm: MB that it has grown by. */
  growthMb(id: string): number {
    const all = this.#resident(id);
    const quarter = (n: number) => all.slice(Math.floor((n * all.length) / 4), Math.floor(((n + 1) * all.length) / 4));
    return percentile(quarter(3), 0.5) - percentile(quarter(1), 0.5);
  }

  worstLoopDelayMs(id: string): number {
    return Math.max(0, ...this.samples.map(({ loopDelayMs }) => loopDelayMs.get(id) ?? 0).filter(Number.isFinite));
  }

  /** A point for every so many seconds, for people. */
  course(id: string, points = 10): string {
    const all = this.#resident(id);
    const step = Math.max(1, Math.ceil(all.length / points));
    return all
      .filter((_, i) => i % step === 0)
      .map((mb) => mb.toFixed(0))
      .join(' ');
  }

  #resident(id: string): number[] {
    return this.samples.map(({ residentMb }) => residentMb.get(id) ?? Number.NaN);
  }
}

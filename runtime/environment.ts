// Reading of environment variables: each value is checked as it is read, and what is wrong is collected, so that one
// start of a process reports all of it. Used by the readers in config.ts and by `npm start`. An empty variable counts
// as one that is not set, since compose files and shells hand those over for "nothing".

import { isIP } from 'node:net';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ConfigFault {
  readonly variable: string;
  /** As it was set; null where it is a secret or was not set at all. */
  readonly value: string | null;
  /** What is accepted, as the end of "must be ...". */
  readonly accepted: string;
}

/** What the process was configured with cannot be used; starting it again is no use. The message is for people. */
export class BadConfiguration extends Error {}

/** Everything that is wrong with the configuration of a process. */
export class ConfigError extends BadConfiguration {
  override readonly name = 'ConfigError';

  constructor(readonly faults: readonly ConfigFault[]) {
    super(faults.map(describeFault).join('\n'));
  }
}

function describeFault({ variable, value, accepted }: ConfigFault): string {
  return value === null ? `${variable} must be ${accepted}` : `${variable}=${value} must be ${accepted}`;
}

export class EnvironmentReader {
  readonly #faults: ConfigFault[] = [];

  constructor(private readonly env: Environment) {}

  /** The value without surrounding blanks, or null where there is none. */
  raw(variable: string): string | null {
    const value = this.env[variable]?.trim();
    return value ? value : null;
  }

  fault(variable: string, accepted: string, value: string | null = this.raw(variable)): void {
    this.#faults.push({ variable, value, accepted });
  }

  integer(variable: string, fallback: number, min: number, max: number): number {
    const text = this.raw(variable);
    if (text === null) return fallback;
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    this.fault(variable, `a whole number from ${min} to ${max}`);
    return fallback;
  }

  /** 0 means any free port. */
  port(variable: string, fallback: number): number {
    return this.integer(variable, fallback, 0, 65_535);
  }

  choice<T extends string>(variable: string, choices: readonly T[], fallback: T): T {
    const text = this.raw(variable);
    if (text === null) return fallback;
    const found = choices.find((choice) => choice === text);
    if (found === undefined) this.fault(variable, `one of ${choices.join(', ')}`);
    return found ?? fallback;
  }

  host(variable: string, fallback: string): string {
    const text = this.raw(variable);
    if (text === null) return fallback;
    if (!isHost(text)) this.fault(variable, 'an IP address or a host name, without a port');
    return text;
  }

  /** Call it last: throws {@link ConfigError} if anything was wrong. */
  finish(): void {
    if (this.#faults.length > 0) throw new ConfigError(this.#faults);
  }
}

/** True for an IP address or a host name; names may have underscores, which container networks use. */
export function isHost(text: string): boolean {
  return isIP(text) !== 0 || (text.length <= 253 && /^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/.test(text));
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatAddress(host: string, port: number): string {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

// Which hosts the `http` handler may call (HTTP_HANDLER_HOSTS). An entry is `host`, any port of it, or `host:port`, that
// port only; compared exactly, after the normalising that URLs do (case, IDN, IPv6, default ports). Pure.

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' };

export interface AllowedHosts {
  readonly allows: (url: URL) => boolean;
  /** Entries that are no hosts, as sentences. */
  readonly faults: readonly string[];
}

export function allowedHosts(entries: readonly string[]): AllowedHosts {
  const names = new Set<string>();
  const faults: string[] = [];
  for (const entry of entries) {
    const name = normalised(entry);
    if (name === null) faults.push(`HTTP_HANDLER_HOSTS: ${JSON.stringify(entry)} is neither "host" nor "host:port"`);
    else names.add(name);
  }
  return { allows: (url) => isAllowed(names, url), faults };
}

function isAllowed(names: ReadonlySet<string>, url: URL): boolean {
  const defaultPort = defaultPorts[url.protocol];
  if (defaultPort === undefined) return false;
  return names.has(url.hostname) || names.has(`${url.hostname}:${url.port || defaultPort}`);
}

/** `host` or `host:port` as URL writes them, or null. */
function normalised(entry: string): string | null {
  const bare = entry.trim();
  const isBareIpv6 = !bare.startsWith('[') && bare.split(':').length > 2;
  // URL drops a port that is the default of its scheme, so the port is taken off before.
  const port = /:(\d{1,5})$/.exec(isBareIpv6 ? '' : bare)?.[1];
  const host = isBareIpv6 ? `[${bare}]` : port === undefined ? bare : bare.slice(0, -port.length - 1);
  if (host === '' || host.endsWith(':') || /[/?#@\\\s]/.test(host)) return null;
  if (port !== undefined && (Number(port) < 1 || Number(port) > 65535)) return null;
  try {
    const url = new URL(`http://${host}/`);
    if (url.port !== '' || url.hostname === '') return null;
    return port === undefined ? url.hostname : `${url.hostname}:${Number(port)}`;
  } catch {
    return null;
  }
}

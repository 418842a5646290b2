// Keeps web pages of others away. Whoever reaches a gateway may use it, and a browser on this machine reaches it on loopback: so
// it must not do here what a page from anywhere tells it to. There are two ways in. A page may send a POST to our address
// without asking first; browsers then say where it comes from. And a page may have given its own name our address (DNS
// rebinding): its requests are then of one origin with us, but name that name. What is no browser is let through by both.

import type { IncomingHttpHeaders } from 'node:http';
import type { RequestHandler } from 'express';
import { ServiceError } from '../../domain/errors.ts';

export interface OwnNames {
  /** What is listened on. */
  readonly host: string;
  /** A name of ours beside it, such as that of a reverse proxy on this machine. */
  readonly advertisedHost: string;
}

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

export function refuseCrossOrigin({ host, advertisedHost }: OwnNames): RequestHandler {
  const advertised = bare(advertisedHost);
  const onlyLocal = isLoopback(bare(host));
  return ({ method, headers }, _response, next) => {
    const name = nameIn(headers.host ?? '');
    const isOurs = isLoopback(name) || name === advertised || name === '';
    if (onlyLocal && !isOurs) throw otherName(name);
    if (!safeMethods.has(method) && !isSameOrigin(headers, isLoopback(advertised) ? null : advertised)) throw otherPage;
    next();
  };
}

/**
 * A page that came through a proxy has the name of that for its origin, while the Host that arrives here may be another;
 * `proxy` may be that name.
 */
function isSameOrigin({ host, origin, ...headers }: IncomingHttpHeaders, proxy: string | null): boolean {
  const site = headers['sec-fetch-site'];
  if (origin === undefined) return site === undefined || site === 'same-origin' || site === 'none';
  const [, from = ''] = /^https?:\/\/(.+)$/i.exec(origin) ?? [];
  if (proxy !== null && nameIn(from) === proxy) return true;
  return from !== '' && from.toLowerCase() === host?.toLowerCase() && site !== 'cross-site';
}

/** Of `name:port`, the name. */
function nameIn(authority: string): string {
  return bare(authority.replace(/:\d*$/, ''));
}

function bare(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

function otherName(name: string): ServiceError {
  return new ServiceError(
    'cross-origin',
    `This gateway is for this machine only, and ${JSON.stringify(name.slice(0, 100))} is no name of it; ADVERTISED_HOST can give it one.`,
  );
}

const otherPage = new ServiceError(
  'cross-origin',
  'A web page of another origin asks for this; this gateway takes it only from pages of its own.',
);

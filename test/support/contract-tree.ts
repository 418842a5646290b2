// Whether a tree has only znodes that the contract knows (section 1), in places and with names that it knows.

import type { Session } from '../../coordination/session.ts';

const allowed: readonly RegExp[] = [
  /^\/(master|epoch|workers|assign|tasks|idempotency|backlog|queues|schedules)$/,
  /^\/workers\/[^/]+$/,
  /^\/assign\/[^/]+(\/task-\d{10})?$/,
  /^\/tasks\/task-\d{10}(\/(status|cancel|attempt-[1-9]\d*))?$/,
  /^\/idempotency\/[0-9a-f]{2}(\/[0-9a-f]{64})?$/,
  /^\/queues\/[A-Za-z0-9._-]{1,64}$/,
];

/** Paths that the contract does not know. */
export async function strangeZnodes(session: Session, path = '/'): Promise<string[]> {
  const listed = await session.getChildren(path);
  const below = await Promise.all(
    (listed?.children ?? [])
      .map((name) => (path === '/' ? `/${name}` : `${path}/${name}`))
      .filter((child) => !child.startsWith('/zookeeper'))
      .map((child) => strangeZnodes(session, child)),
  );
  const isStrange = path !== '/' && !allowed.some((pattern) => pattern.test(path));
  return [...(isStrange ? [path] : []), ...below.flat()];
}

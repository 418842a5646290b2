// Goal: the moments that a real server shows once in a thousand runs. Method: a session whose every answer the test gives.

import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { PastZnodes } from '../../../coordination/changes-since.ts';
import { CoordinationError } from '../../../coordination/coordination-error.ts';
import type { RecursiveListener, Session, SessionState } from '../../../coordination/session.ts';
import { TreeCache, type TreeCacheOptions } from '../../../coordination/tree-cache.ts';
import type { Znode } from '../../../coordination/zookeeper-requests.ts';
import { readDataBy } from '../../support/read-data.ts';

interface Asked {
  readonly what: string;
  answer(value: unknown): void;
  fail(error: Error): void;
}

class ScriptedSession {
  readonly signal = new AbortController().signal;
  state: SessionState = 'connected';
  zxid = 0n;
  readonly asked: Asked[] = [];
  readonly recovered: string[] = [];
  event: RecursiveListener = () => undefined;
  #onState: (state: SessionState) => void = () => undefined;

  onState(listener: (state: SessionState) => void) {
    this.#onState = listener;
    return () => undefined;
  }

  become(state: SessionState) {
    this.state = state;
    this.#onState(state);
  }

  recover(why: string) {
    this.recovered.push(why);
  }

  async watchRecursively(_path: string, listener: RecursiveListener) {
    this.event = listener;
  }

  async sync() {
    // Its answer changes nothing for the cache: what matters is that the reads come after it.
  }

  readonly readData = readDataBy((path) => this.#ask(`get ${path}`));

  /** Asked in words that say of which znodes, those with children marked. */
  changesSince(zxid: bigint, { paths, hasChildren }: PastZnodes) {
    const known = [...paths].map((path) => (hasChildren(path) ? `${path}/*` : path));
    return this.#ask(`changes since ${zxid} of ${known.join(' ')}`);
  }

  childNames(path: string) {
    return this.#ask(`list ${path}`);
  }

  /** Answers the oldest open question of this wording, and lets the cache act on it. */
  async answer(what: string, value: unknown) {
    this.#take(what).answer(value);
    await turn();
  }

  async refuse(what: string, code: number) {
    this.#take(what).fail(CoordinationError.refused(code, what));
    await turn();
  }

  #take(what: string): Asked {
    const index = this.asked.findIndex((asked) => asked.what === what);
    const [asked] = index < 0 ? [] : this.asked.splice(index, 1);
    assert.ok(asked, `${what} was not asked; open: ${this.asked.map((open) => open.what)}`);
    return asked;
  }

  #ask(what: string): Promise<unknown> {
    return new Promise((answer, fail) => this.asked.push({ what, answer, fail }));
  }
}

const znode = (data: string, numChildren = 0, zxids: { czxid?: bigint; pzxid?: bigint } = {}) => ({
  data: Buffer.from(data),
  stat: { numChildren, czxid: 0n, pzxid: 0n, ...zxids },
});
const list = (...names: string[]) => names;

function cacheOn(content: 'data' | 'names', options: TreeCacheOptions = {}) {
  const session = new ScriptedSession();
  const picture = new Map<string, string | null>();
  const cache = new TreeCache(
    session as unknown as Session,
    '/t',
    1,
    {
      onPresent: (path, found) => picture.set(path, found?.data.toString() ?? null),
      onAbsent: (path) => picture.delete(path),
      onSynced: () => undefined,
    },
    { content, ...options },
  );
  void cache.start();
  return { session, picture, cache };
}

const contents = (picture: Map<string, string | null>) => Object.fromEntries(picture);

test('an answer that a later event has overtaken is read again', async () => {
  const { session, picture, cache } = cacheOn('data');
  const answered = session.answer('get /t', znode('old'));
  session.event('/t', 'changed'); // in the same piece as the answer, before anybody has looked at it
  await answered;
  assert.equal(cache.synced, false);
  await session.answer('get /t', znode('new'));
  assert.deepEqual(contents(picture), { '/t': 'new' });
  assert.equal(cache.synced, true);
});

/** A commit of our own that creates `/t/a`, whose answer the test gives. */
async function creating() {
  const { session, picture, cache } = cacheOn('data');
  await session.answer('get /t', znode(''));
  const commit = new EventEmitter();
  const committed = once(commit, 'created').then(([created]) => created as Znode);
  cache.expect('/t/a', committed);
  const end = async (outcome: string | Error) => {
    if (typeof outcome === 'string') commit.emit('created', znode(outcome));
    else commit.emit('error', outcome);
    await turn();
  };
  const asked = () => session.asked.map(({ what }) => what);
  return { session, picture, asked, end };
}

test('what we create ourselves is not read', async () => {
  const { session, picture, asked, end } = await creating();
  session.event('/t/a', 'created');
  assert.deepEqual(contents(picture), { '/t': '', '/t/a': null });
  await end('ours');
  assert.deepEqual([contents(picture), asked()], [{ '/t': '', '/t/a': 'ours' }, []]);
  session.event('/t/a', 'changed');
  assert.deepEqual(asked(), ['get /t/a']);
});

test('what we have created ourselves and another has changed, or its link was lost, is read', async () => {
  for (const meanwhile of ['changed', 'broken'] as const) {
    const { session, picture, asked, end } = await creating();
    session.event('/t/a', 'created');
    if (meanwhile === 'changed') session.event('/t/a', 'changed');
    else for (const state of ['suspended', 'connected'] as const) session.become(state);
    await end('ours');
    assert.equal(picture.get('/t/a'), null);
    assert.ok(asked().includes('get /t/a'), meanwhile);
  }
});

test('what we have created ourselves and is gone already stays gone, unread', async () => {
  const { session, picture, asked, end } = await creating();
  session.event('/t/a', 'created');
  session.event('/t/a', 'removed');
  await end('ours');
  assert.deepEqual([contents(picture), asked()], [{ '/t': '' }, []]);
});

test('where our creation was refused, what another has created is read', async () => {
  for (const event of [true, false]) {
    const { session, asked, end } = await creating();
    if (event) session.event('/t/a', 'created');
    await end(CoordinationError.refused(-110, 'create'));
    assert.deepEqual(asked(), event ? ['get /t/a'] : []);
  }
});

test('a removal is told in its turn, also of what is just being read, and the answer does not bring it back', async () => {
  const { session, picture, cache } = cacheOn('data');
  await session.answer('get /t', znode(''));
  session.event('/t/a', 'created');
  const answered = session.answer('get /t/a', znode('old'));
  session.event('/t/a', 'removed');
  assert.deepEqual(contents(picture), { '/t': '' });
  await answered;
  assert.deepEqual(contents(picture), { '/t': '' });
  await session.answer('get /t/a', null);
  session.event('/t/a', 'created');
  session.event('/t/a', 'removed');
  session.event('/t/a', 'created'); // another one
  await session.answer('get /t/a', znode('of the first'));
  assert.deepEqual(contents(picture), { '/t': '', '/t/a': null });
  await session.answer('get /t/a', znode('of the second'));
  assert.deepEqual(contents(picture), { '/t': '', '/t/a': 'of the second' });
  assert.equal(cache.synced, true);
});

test('names: a list that a later removal has overtaken does not bring the name back', async () => {
  const { session, picture } = cacheOn('names');
  const answered = session.answer('list /t', list('a', 'b'));
  session.event('/t/a', 'removed');
  await answered;
  assert.deepEqual(contents(picture), { '/t': null, '/t/b': null });
});

test('names: removed and made again while the list was under way', async () => {
  const { session, picture } = cacheOn('names');
  session.event('/t/a', 'removed');
  session.event('/t/a', 'created');
  await session.answer('list /t', list('a'));
  assert.deepEqual(contents(picture), { '/t': null, '/t/a': null });
});

test('a read of the last link does not keep what was removed before the watch was set again', async () => {
  const { session, picture, cache } = cacheOn('data');
  await session.answer('get /t', znode('', 1));
  await session.answer('list /t', list('a'));
  await session.answer('get /t/a', znode('old'));
  session.event('/t/a', 'changed');
  session.become('suspended');
  session.become('connected');
  await session.answer('get /t/a', znode('new')); // repeated on the new link ahead of the watch
  await session.answer('get /t', znode('', 1));
  await session.answer('list /t', list()); // removed in between: no event
  if (session.asked.some(({ what }) => what === 'get /t/a')) await session.answer('get /t/a', null);
  assert.deepEqual(contents(picture), { '/t': '' });
  assert.equal(cache.synced, true);
});

test('a list of the last link counts for nothing', async () => {
  const { session, picture, cache } = cacheOn('names');
  session.become('suspended');
  session.become('connected');
  await session.answer('list /t', list('a'));
  assert.equal(cache.synced, false);
  await session.answer('list /t', list('b'));
  assert.deepEqual(contents(picture), { '/t': null, '/t/b': null });
});

test('a read that fails for good makes a hole: the picture is taken anew over another link', async () => {
  const { session, cache } = cacheOn('data');
  const [asked] = session.asked.splice(0, 1);
  asked?.fail(new CoordinationError('deadline_exceeded', 'not applied', 'get /t'));
  await turn();
  assert.equal(session.recovered.length, 1);
  assert.equal(cache.synced, false);
});

test('the usual only child is read without a list; where the one child is another, the list follows', async () => {
  const right = cacheOn('data', { onlyChild: 'status' });
  await right.session.answer('get /t', znode('parent', 1));
  await right.session.answer('get /t/status', znode('done'));
  assert.deepEqual(right.session.asked, []);
  assert.deepEqual(contents(right.picture), { '/t': 'parent', '/t/status': 'done' });
  assert.equal(right.cache.synced, true);

  const wrong = cacheOn('data', { onlyChild: 'status' });
  await wrong.session.answer('get /t', znode('parent', 1));
  await wrong.session.answer('get /t/status', null);
  assert.equal(wrong.cache.synced, false);
  await wrong.session.answer('list /t', list('other'));
  await wrong.session.answer('get /t/other', znode('data'));
  assert.deepEqual(contents(wrong.picture), { '/t': 'parent', '/t/other': 'data' });
  assert.equal(wrong.cache.synced, true);

  const several = cacheOn('data', { onlyChild: 'status' });
  await several.session.answer('get /t', znode('parent', 2));
  await several.session.answer('list /t', list('status', 'attempt-1'));
  await several.session.answer('get /t/status', znode('done'));
  await several.session.answer('get /t/attempt-1', znode('failed'));
  assert.equal(several.cache.synced, true);
});

test('a child of the usual name that came after the one that was there is no only child', async () => {
  const { session, picture, cache } = cacheOn('data', { onlyChild: 'status' });
  await session.answer('get /t', znode('parent', 1, { pzxid: 5n })); // its one child is attempt-1
  await session.answer('get /t/status', znode('done', 0, { czxid: 7n }));
  assert.equal(cache.synced, false);
  await session.answer('list /t', list('status', 'attempt-1'));
  await session.answer('get /t/status', znode('done', 0, { czxid: 7n }));
  await session.answer('get /t/attempt-1', znode('failed', 0, { czxid: 5n }));
  assert.deepEqual(contents(picture), { '/t': 'parent', '/t/attempt-1': 'failed', '/t/status': 'done' });
  assert.equal(cache.synced, true);
});

test('many names are taken up in several turns, and what is removed meanwhile stays away', async () => {
  const { session, picture, cache } = cacheOn('names');
  const names = Array.from({ length: 12_000 }, (_, n) => `n-${n}`);
  await session.answer('list /t', names);
  assert.ok(picture.size < names.length && !cache.synced, `${picture.size} names in one turn`);
  session.event('/t/n-0', 'removed');
  session.event('/t/n-11999', 'removed');
  session.event('/t/new', 'created');
  while (!cache.synced) await turn();
  assert.equal(picture.size, names.length); // the root and the new one are there, two are gone
  assert.deepEqual([picture.has('/t/n-0'), picture.has('/t/n-11999'), picture.has('/t/new')], [false, false, true]);
});

test('a link that breaks while many names are taken up: the next list alone counts', async () => {
  const { session, picture, cache } = cacheOn('names');
  await session.answer(
    'list /t',
    Array.from({ length: 12_000 }, (_, n) => `n-${n}`),
  );
  session.become('suspended');
  session.become('connected');
  await session.answer('list /t', list('a'));
  await turn();
  assert.deepEqual(contents(picture), { '/t': null, '/t/a': null });
  assert.equal(cache.synced, true);
});

/** A complete mirror of /t with a and b, which asks what has changed, on its next link. */
async function cacheOnNextLink() {
  const made = cacheOn('data', { manyZnodes: 0 });
  const { session } = made;
  await session.answer('get /t', znode('', 2));
  await session.answer('list /t', list('a', 'b'));
  for (const name of ['a', 'b']) await session.answer(`get /t/${name}`, znode(`old ${name}`));
  session.zxid = 7n;
  return made;
}

async function reconnect({ session }: { session: ScriptedSession }) {
  session.become('suspended');
  session.zxid = 9n; // of the next link
  session.become('connected');
  await turn();
}

const wordsOf = ({ asked }: ScriptedSession) => asked.map(({ what }) => what);
const question = 'changes since 7 of /t/* /t/a /t/b';

test('after a reconnect only what has changed is read before it is in use again, what has come, and what had to be read anyway', async () => {
  const made = await cacheOnNextLink();
  const { session, picture, cache } = made;
  await reconnect(made);
  assert.equal(cache.synced, false);
  session.event('/t/later', 'created');
  await session.answer(question, new Set(['/t', '/t/b', '/t/unknown']));
  await session.answer('get /t/later', znode('later'));
  await session.answer('get /t/b', znode('new b'));
  await session.answer('get /t', znode('', 4));
  await session.answer('list /t', list('a', 'b', 'come', 'later'));
  assert.equal(cache.synced, false);
  await session.answer('get /t/come', znode('come'));
  assert.deepEqual(contents(picture), {
    ...{ '/t': '', '/t/a': 'old a', '/t/b': 'new b' },
    ...{ '/t/come': 'come', '/t/later': 'later' },
  });
  assert.equal(cache.synced, true);
});

test('the others are looked at while it is in use: what the ensemble has lost is not kept', async () => {
  const made = await cacheOnNextLink();
  const { session, picture, cache } = made;
  await reconnect(made);
  await session.answer(question, new Set());
  await session.answer('get /t', znode('', 2));
  await session.answer('list /t', list('a', 'b'));
  assert.deepEqual([cache.synced, contents(picture)], [true, { '/t': '', '/t/a': 'old a', '/t/b': 'old b' }]);
  assert.deepEqual(wordsOf(session), ['get /t']);
  session.event('/t/new', 'created');
  await session.answer('get /t/new', znode('new'));
  await session.answer('get /t', znode('', 3));
  await session.answer('list /t', list('a', 'back', 'new')); // b was made by what is lost, which had removed another
  await session.answer('get /t/a', znode('as it was before'));
  await session.answer('get /t/back', znode('back'));
  await session.answer('get /t/new', znode('new'));
  const truth = { '/t': '', '/t/a': 'as it was before', '/t/back': 'back', '/t/new': 'new' };
  assert.deepEqual([cache.synced, contents(picture), session.asked], [true, truth, []]);
});

test('a link that breaks while the others are looked at: what was known then is asked about, and all is looked at again', async () => {
  const made = await cacheOnNextLink();
  const { session, picture, cache } = made;
  await reconnect(made);
  await session.answer(question, new Set());
  await session.answer('get /t', znode('', 2));
  await session.answer('list /t', list('a', 'b'));
  session.zxid = 8n;
  session.event('/t/a', 'changed');
  await session.answer('get /t/a', znode('new a'));
  session.become('suspended');
  session.become('connected');
  await turn();
  await session.answer('changes since 8 of /t/* /t/a /t/b', new Set());
  await session.answer('get /t', znode('', 2)); // of the last link
  await session.answer('get /t', znode('', 2));
  await session.answer('list /t', list('a', 'b'));
  assert.equal(cache.synced, true);
  await session.answer('get /t', znode('', 1));
  await session.answer('list /t', list('a'));
  await session.answer('get /t/a', znode('new a'));
  assert.deepEqual([contents(picture), session.asked], [{ '/t': '', '/t/a': 'new a' }, []]);
});

test('what has changed and is not there any more is gone', async () => {
  const made = await cacheOnNextLink();
  const { session, picture, cache } = made;
  await reconnect(made);
  await session.answer(question, new Set(['/t', '/t/b']));
  await session.answer('get /t/b', null);
  await session.answer('get /t', znode('', 1));
  await session.answer('list /t', list('a'));
  assert.deepEqual(contents(picture), { '/t': '', '/t/a': 'old a' });
  assert.equal(cache.synced, true);
});

test('a link that breaks before all was looked at: the next question is about all that time', async () => {
  const made = await cacheOnNextLink();
  const { session, picture } = made;
  await reconnect(made);
  await session.answer(question, new Set(['/t', '/t/b']));
  await reconnect(made);
  await session.answer(question, new Set(['/t/a']));
  await session.answer('get /t/a', znode('new a'));
  assert.equal(picture.get('/t/a'), 'new a');
});

test('where it cannot be told what has changed, everything is read', async () => {
  const made = await cacheOnNextLink();
  const { session, picture, cache } = made;
  await reconnect(made);
  await session.refuse(question, -4);
  await session.answer('get /t', znode('', 1));
  await session.answer('list /t', list('b'));
  await session.answer('get /t/b', znode('old b'));
  assert.deepEqual(contents(picture), { '/t': '', '/t/b': 'old b' });
  assert.equal(cache.synced, true);
});

test('a picture with a hole is read as a whole, also where the read failed without a link', async () => {
  for (const withLink of [true, false]) {
    const made = await cacheOnNextLink();
    const { session } = made;
    session.event('/t/a', 'changed');
    if (!withLink) session.become('suspended');
    session.asked.splice(0, 1)[0]?.fail(new CoordinationError('deadline_exceeded', 'not applied', 'get /t/a'));
    await turn();
    await reconnect(made);
    assert.deepEqual(wordsOf(session), ['get /t'], withLink ? 'with a link' : 'without a link');
  }
});

test('what was wanted and not read when the link broke is looked at with its children', async () => {
  const session = new ScriptedSession();
  const picture = new Map<string, string | null>();
  const listener = {
    onPresent: (path: string, found: { data: Buffer } | null) => picture.set(path, found?.data.toString() ?? null),
    onAbsent: (path: string) => picture.delete(path),
    onSynced: () => undefined,
  };
  const cache = new TreeCache(session as unknown as Session, '/t', 2, listener, { manyZnodes: 0 });
  void cache.start();
  await session.answer('get /t', znode(''));
  await reconnect({ session });
  await session.answer('changes since 0 of /t/*', new Set(['/t']));
  await session.answer('get /t', znode('', 1));
  await session.answer('list /t', list('new'));
  await reconnect({ session }); // before it is read
  await session.answer('get /t/new', znode('of the last link', 1));
  await session.answer('get /t/new', znode('new', 1));
  await session.answer('changes since 0 of /t/*', new Set([]));
  await session.answer('get /t', znode('', 1));
  await session.answer('list /t', list('new'));
  await session.answer('get /t/new', znode('new', 1));
  await session.answer('list /t/new', list('child'));
  await session.answer('get /t/new/child', znode('child'));
  assert.deepEqual(contents(picture), { '/t': '', '/t/new': 'new', '/t/new/child': 'child' });
  assert.equal(cache.synced, true);
});

test('what has changed is asked only when the watch stands: what changes between the two would be missed', async () => {
  const made = await cacheOnNextLink();
  const { session } = made;
  let onWatching: () => void = () => undefined;
  session.watchRecursively = (_path, listener) => {
    session.event = listener;
    return new Promise((resolve) => {
      onWatching = resolve;
    });
  };
  await reconnect(made);
  assert.deepEqual(session.asked, []);
  onWatching();
  await turn();
  assert.deepEqual(wordsOf(session), [question]);
});

/** Everything that is asked, and what is asked after that, by a server that has these znodes; all but `later`. */
async function answerAll(session: ScriptedSession, truth: Readonly<Record<string, string>>, later = '') {
  const children = (path: string) => Object.keys(truth).filter((other) => other.startsWith(`${path}/`));
  for (let asked = open(); asked; asked = open()) {
    const [, verb, path = ''] = /^(get|list) (.*)$/.exec(asked) ?? [];
    const data = truth[path];
    if (data === undefined) await session.answer(asked, null);
    else if (verb === 'get') await session.answer(asked, znode(data, children(path).length));
    else await session.answer(asked, list(...children(path).map((child) => child.slice(path.length + 1))));
  }
  function open() {
    return wordsOf(session).find((what) => what !== later);
  }
}

test('the root changes while it is asked what has changed: the list of it that comes then ends nothing', async () => {
  for (const answer of [new Set(['/t', '/t/a']), null]) {
    const made = await cacheOnNextLink();
    const { session, picture, cache } = made;
    await reconnect(made); // a was removed meanwhile
    const truth = { '/t': 'set', '/t/b': 'old b' };
    session.event('/t', 'changed');
    await answerAll(session, truth, question);
    assert.equal(cache.synced, false);
    if (answer === null) await session.refuse(question, -4);
    else await session.answer(question, answer);
    await answerAll(session, truth);
    assert.deepEqual([cache.synced, contents(picture)], [true, truth]);
  }
});

test('a second break while the changed ones are read: what was removed since is gone, and nothing else', async () => {
  const made = await cacheOnNextLink();
  const { session, picture, cache } = made;
  await reconnect(made);
  await session.answer(question, new Set(['/t', '/t/b'])); // the root waits for its read, behind the changed ones
  await reconnect(made); // a was removed meanwhile
  const truth = { '/t': '', '/t/b': 'new b' };
  await answerAll(session, truth, question);
  await session.answer(question, new Set(['/t', '/t/a', '/t/b']));
  await answerAll(session, truth);
  assert.deepEqual([cache.synced, contents(picture)], [true, truth]);
});

test('links that break before the watch stands: one question, over the last of them', async () => {
  const made = await cacheOnNextLink();
  const { session } = made;
  const standing: (() => void)[] = [];
  session.watchRecursively = () => new Promise((resolve) => standing.push(resolve));
  for (const _ of [1, 2, 3]) await reconnect(made);
  for (const stands of standing) stands();
  await turn();
  assert.deepEqual(wordsOf(session), [question]);
});

test('a hole that comes together with the end of a listing: the next one is of everything', async () => {
  const made = cacheOn('data', { manyZnodes: 0 });
  const { session, cache } = made;
  await session.answer('get /t', znode('', 2));
  await session.answer('list /t', list('a'));
  session.event('/t/later', 'created');
  const [last, later] = session.asked.splice(0);
  later?.fail(CoordinationError.refused(-127, 'get /t/later'));
  last?.answer(znode('a'));
  await turn();
  assert.equal(cache.synced, false);
  await reconnect(made);
  assert.deepEqual(wordsOf(session), ['get /t']);
});

test('a guessed child that is made and removed while its parent is listed was not the only one', async () => {
  const { session, picture, cache } = cacheOn('data', { onlyChild: 'status' });
  const answered = session.answer('get /t', znode('', 1, { pzxid: 2n })); // a child of another name
  session.event('/t/status', 'created');
  await answered;
  session.event('/t/status', 'created');
  session.event('/t/status', 'removed');
  if (session.asked.some(({ what }) => what === 'get /t')) await session.answer('get /t', znode('', 1, { pzxid: 2n }));
  while (session.asked.some(({ what }) => what === 'get /t/status')) await session.answer('get /t/status', null);
  await session.answer('list /t', list('cancel'));
  await session.answer('get /t/cancel', znode('why'));
  assert.deepEqual([contents(picture), cache.synced], [{ '/t': '', '/t/cancel': 'why' }, true]);
});

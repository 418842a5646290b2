// The leading master's index for the gateways, on its admin endpoint: the answers of domain/master-index.ts. Whoever does not
// lead right now, or does not know everything at the moment, answers 503; the gateway then asks whom `/master` names next.
// Every master tells its whole picture to whoever compares it with the tree.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { explainTask } from '../../domain/explain.ts';
import { listTasks, queuesView, statsView, workersView } from '../../domain/index-views.ts';
import { limits } from '../../domain/limits.ts';
import { indexPaths } from '../../domain/master-index.ts';
import { picturePath } from '../../domain/master-picture.ts';
import type { TaskIndex } from '../../domain/task-index.ts';
import { type AdminRoute, sendJson } from '../../runtime/admin-server.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import { eventStreamHeaders, streamEvents } from './event-stream.ts';
import { allowOnly, BadQuery, parseEventsQuery, parseExplainQuery, parseTasksQuery } from './index-query.ts';
import type { MasterView, Term } from './master-view.ts';
import { pictureRoute } from './picture-stream.ts';

type Answer = (index: TaskIndex, query: URLSearchParams, now: number) => unknown;

export function indexRoutes(view: MasterView, aliveMs: number = limits.masterAliveMs): Record<string, AdminRoute> {
  const streams = { open: 0, aliveMs };
  return {
    [indexPaths.tasks]: leaderRoute(view, (index, query, now) => {
      const { filter, limit, after } = parseTasksQuery(query);
      return listTasks(index, filter, limit, after, now);
    }),
    [indexPaths.workers]: leaderRoute(view, withoutQuery(workersView)),
    [indexPaths.queues]: leaderRoute(
      view,
      withoutQuery((index) => queuesView(index)),
    ),
    [indexPaths.stats]: leaderRoute(
      view,
      withoutQuery((index, now) => statsView(index, view.address, now)),
    ),
    [indexPaths.explain]: asLeader(view, async ({ picture: { index } }, query, _request, response) => {
      const id = parseExplainQuery(query);
      await nextTurn(); // the planner has had its own by then, and has given away what it can
      const now = Date.now();
      index.advance(now);
      index.review(monotonicMs());
      sendJson(response, 200, explainTask(index, id, now));
    }),
    [indexPaths.events]: asLeader(view, (term, query, request, response) => {
      const after = parseEventsQuery(query);
      if (request.method === 'HEAD') {
        response.writeHead(200, eventStreamHeaders).end();
        return;
      }
      return stream(streams, term, after, response);
    }),
    [picturePath]: pictureRoute(view),
  };
}

function leaderRoute(view: MasterView, answer: Answer): AdminRoute {
  return asLeader(view, ({ picture: { index } }, query, _request, response) => {
    const now = Date.now();
    index.advance(now);
    sendJson(response, 200, answer(index, query, now));
  });
}

function withoutQuery(answer: (index: TaskIndex, now: number) => unknown): Answer {
  return (index, query, now) => {
    allowOnly(query, []);
    return answer(index, now);
  };
}

function asLeader(
  view: MasterView,
  answer: (
    term: Term,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ) => void | Promise<void>,
): AdminRoute {
  return async (url, request, response) => {
    const term = view.leading();
    if (!term) return sendJson(response, 503, { status: 'not leading' });
    try {
      await answer(term, url.searchParams, request, response);
    } catch (error) {
      if (!(error instanceof BadQuery)) throw error;
      sendJson(response, 400, { status: 'bad query', detail: error.message });
    }
  };
}

async function stream(
  streams: { open: number; readonly aliveMs: number },
  term: Term,
  after: string | null,
  response: ServerResponse,
): Promise<void> {
  if (streams.open >= limits.masterEventStreamsMax) return sendJson(response, 503, { status: 'too many streams' });
  streams.open += 1;
  try {
    await streamEvents(term, after, response, streams.aliveMs);
  } finally {
    streams.open -= 1;
  }
}

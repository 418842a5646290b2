// Server-sent events (WHATWG HTML, section 9.2). What the other side does not read is not made: the next change is asked for
// once the last one has left, so nothing piles up here, and a connection on which nothing moves is closed by its
// idle timeout.

import type { Response } from 'express';
import { limits } from '../../domain/limits.ts';
import type { HttpServices } from './http-services.ts';
import { allHeaders, writeTaken } from './json-answer.ts';

/** `reset`: events may be missing here. */
export type ServerSentEvent = 'reset' | { readonly id: string; readonly data: object };

/** Sends the headers of a stream. */
export function openEvents(response: Response): Response {
  // nginx would collect the events otherwise.
  const headers = { 'Content-Type': 'text/event-stream', 'X-Accel-Buffering': 'no' };
  response.writeHead(200, allHeaders(headers));
  response.flushHeaders();
  return response;
}

/** Resolves when the changes have ended and so has the answer, or the client is gone. */
export async function sendEvents<Change>(
  response: Response,
  changes: AsyncIterable<Change>,
  render: (change: Change) => ServerSentEvent,
  { eventHeartbeatMs = limits.eventHeartbeatMs }: Pick<HttpServices, 'eventHeartbeatMs'>,
): Promise<void> {
  // The first line makes proxies pass the headers on.
  openEvents(response).write(':\n\n');
  const heartbeat = setInterval(() => {
    if (!response.writableNeedDrain) response.write(':\n\n');
  }, eventHeartbeatMs);
  try {
    for await (const change of changes) {
      if (response.destroyed) break;
      heartbeat.refresh();
      await writeTaken(response, textOf(render(change)));
    }
  } finally {
    clearInterval(heartbeat);
  }
  response.end();
}

function textOf(event: ServerSentEvent): string {
  if (event === 'reset') return 'event: reset\ndata: {}\n\n';
  return `event: task\nid: ${event.id}\ndata: ${JSON.stringify(event.data)}\n\n`;
}

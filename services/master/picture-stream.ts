// What this master knows, for whoever compares it with the tree, whether it leads or not. A hundred thousand tasks are told bit by
// bit, as fast as they are read, so that nothing else waits for it.

import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { CoordinationError } from '../../coordination/coordination-error.ts';
import { limits } from '../../domain/limits.ts';
import { type PictureLine, pictureLines } from '../../domain/master-picture.ts';
import { type AdminRoute, sendJson } from '../../runtime/admin-server.ts';
import { eventStreamHeaders } from './event-stream.ts';
import type { MasterView } from './master-view.ts';
import type { Picture } from './picture.ts';

/** A reader who takes nothing for `stallMs` is cut off. */
export function pictureRoute(view: MasterView, stallMs: number = limits.masterPictureStallMs): AdminRoute {
  let open = 0;
  return async (_url, request, response) => {
    const { picture } = view;
    if (!picture || !(await isCaughtUp(picture))) return sendJson(response, 503, { status: 'no complete picture' });
    if (open >= limits.masterPicturesMax) return sendJson(response, 503, { status: 'too many pictures' });
    response.writeHead(200, eventStreamHeaders);
    if (request.method === 'HEAD') return void response.end();
    open += 1;
    try {
      const now = Date.now();
      picture.index.advance(now);
      const isCurrent = () => view.picture === picture && picture.synced;
      await sendLines(pictureLines(picture.index, view.leading() !== null, now), response, isCurrent, stallMs);
    } finally {
      open -= 1;
    }
  };
}

/** Complete, and not behind what had been committed before it was asked. */
async function isCaughtUp(picture: Picture): Promise<boolean> {
  try {
    if (picture.synced) await picture.caughtUp();
    return picture.synced;
  } catch (error) {
    if (!(error instanceof CoordinationError)) throw error;
    return false;
  }
}

/** Without the last line, and cut off, where the picture is not current any more, or nobody reads. */
async function sendLines(
  lines: Generator<PictureLine>,
  response: ServerResponse,
  isCurrent: () => boolean,
  stallMs: number,
): Promise<void> {
  for (let next = takeLines(lines); next !== ''; next = takeLines(lines)) {
    if (!response.write(next)) await drainedOrCutOff(response, stallMs);
    await nextTurn(); // what is taken at once is no turn
    if (response.destroyed || !isCurrent()) return void response.destroy();
  }
  response.end();
}

function takeLines(lines: Generator<PictureLine>): string {
  let text = '';
  for (let count = 0; count < limits.masterPictureLinesAtOnce; count += 1) {
    const { value, done } = lines.next();
    if (done) break;
    text += `${JSON.stringify(value)}\n`;
  }
  return text;
}

function drainedOrCutOff(response: ServerResponse, stallMs: number): Promise<void> {
  return new Promise((resolve) => {
    const stalled = setTimeout(() => response.destroy(), stallMs);
    const finish = () => {
      clearTimeout(stalled);
      response.off('drain', finish).off('close', finish);
      resolve();
    };
    response.on('drain', finish).on('close', finish);
    if (response.destroyed) finish();
  });
}

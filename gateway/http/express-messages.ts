// The classes of which Node makes the requests and answers of an express app. Express gives each of those its own prototype as it
// comes in; V8 handles an object whose prototype has been changed slowly from then on, which costs a small request more than
// everything else that is done for it. Made as what express would make of them, they stay as they are.

import { IncomingMessage, type ServerOptions, ServerResponse } from 'node:http';
import type { Express } from 'express';

/** Changes the app, which must be served with these classes and not be mounted in another one. */
export function messageClassesOf(app: Express): Pick<ServerOptions, 'IncomingMessage' | 'ServerResponse'> {
  class Request extends IncomingMessage {}
  class Response<Asked extends IncomingMessage> extends ServerResponse<Asked> {}
  const prototypes = app as unknown as { request: object; response: object };
  Object.setPrototypeOf(Request.prototype, prototypes.request);
  Object.setPrototypeOf(Response.prototype, prototypes.response);
  Object.assign(app, { request: Request.prototype, response: Response.prototype });
  return { IncomingMessage: Request, ServerResponse: Response };
}

// The `echo` handler: results in its payload. For trying things out and for measuring.

import type { Handler } from './handler.ts';

export const echoHandler: Handler = async (payload) => payload;

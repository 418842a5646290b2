// A process that holds a session and keeps writing under it, for frozen-process.test.ts to stop and wake again. Says what it
// does as JSON lines. PORT, SESSION_TIMEOUT_MS.

import { Session } from '../../coordination/session.ts';
import { monotonicMs } from '../../runtime/clock.ts';
import { create, sessionOptions } from './session-harness.ts';

const say = (msg: string, fields: object = {}) =>
  process.stdout.write(`${JSON.stringify({ level: 30, msg, at: monotonicMs(), ...fields })}\n`);

const session = new Session({
  ...sessionOptions({ port: Number(process.env['PORT']) }),
  sessionTimeoutMs: Number(process.env['SESSION_TIMEOUT_MS']),
});
session.signal.addEventListener('abort', () => say('lost'));

await session.commit([create('/held', '', 'ephemeral'), create('/acted')]);
say('holding');
// Due long before the session's own timer when the process wakes, so it is the first that runs.
const acting = setInterval(() => {
  const write = session.commit([{ kind: 'set', path: '/acted', data: Buffer.from('x'), version: null }]);
  const isLost = session.signal.aborted;
  write.then(
    () => say('acted'),
    (error: { code: string; outcome: string }) => say('refused', { code: error.code, outcome: error.outcome, isLost }),
  );
  if (isLost) clearInterval(acting);
}, 5);

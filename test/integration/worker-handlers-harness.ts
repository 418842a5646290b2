// A process like a worker, to be killed and frozen by worker-handlers-guardian.test.ts: runs the command of its first
// argument, renews the lease for the milliseconds of its second as long as it can, and prints first the guardian's
// process id, at last how the run ended. With `held` as third argument it starts the command held, prints its group and
// dies before it lets the command begin.

import { monotonicMs } from '../../runtime/clock.ts';
import { createLog } from '../../runtime/log.ts';
import { createHandlerRegistry } from '../../services/worker/handler-registry.ts';
import { OutputPipes } from '../../services/worker/handlers/output-pipes.ts';
import { startHeld } from '../../services/worker/handlers/shell-command.ts';
import { attempt } from './worker-handlers-support.ts';

const [command = '', leaseMs = '0', mode] = process.argv.slice(2);
const log = createLog('harness', 'silent');

if (mode === 'held') {
  const held = await startHeld(command, {}, new OutputPipes(log));
  process.stdout.write(`${held.group}\n`, () => process.kill(process.pid, 'SIGKILL'));
} else {
  const registry = await createHandlerRegistry({
    handlersDir: null,
    shellHandler: true,
    httpHandlerHosts: [],
    concurrency: 1,
    log,
  });
  const renew = () => registry.renewLease(monotonicMs() + Number(leaseMs));
  if (Number(leaseMs) > 0) {
    renew();
    setInterval(renew, 20).unref();
  }
  process.stdout.write(`${registry.guardianProcessId()}\n`);
  process.stdout.write(`${JSON.stringify(await attempt(registry, 'shell', command))}\n`);
  await registry.close();
}

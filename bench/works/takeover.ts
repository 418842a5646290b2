// The leading master is killed (kill -9) and a warm standby takes over: how long until the result of a task that was submitted after
// the kill is in hand, from the end of the dead one's session, which is ZooKeeper's to see, and from the kill. With nothing else
// there, and with many tasks.

import { paths } from '../../coordination/znode-paths.ts';
import type { BenchStack } from '../stack.ts';
import { type Bench, repeat, type Work } from './work.ts';

/** The shortest that a tick of 500 ms allows. */
const sessionMs = 1000;
/** A standby that was started just now still tidies up what reading everything has left. */
const settleMs = 3000;

export const takeover: Work = async (bench) => {
  for (const contents of ['empty', 'finished', 'waiting'] as const) {
    const stack = await bench.stack(contents);
    const among = contents === 'empty' ? 'nothing else' : `many ${contents}`;
    const short = { ZOOKEEPER_SESSION_TIMEOUT_MS: sessionMs };
    for (const { process } of stack.stack.masters.splice(0)) await process.stop();
    await stack.stack.addMaster(short);
    await repeat(bench, `takeover, ${among}`, async () => {
      await stack.stack.addMaster(short);
      await new Promise((resolve) => setTimeout(resolve, settleMs));
      await takeOver(bench, stack, among);
    });
    await stack.reset();
  }
};

async function takeOver({ figures }: Bench, { stack }: BenchStack, among: string): Promise<void> {
  const leader = await stack.leader();
  const session = await stack.session;
  const gone = new Promise<number>((resolve) => {
    void session.watch(paths.master, () => resolve(performance.now())).stat;
  });
  const killedAt = performance.now();
  leader.process.kill('SIGKILL');
  const { id } = await stack.client.submit({ type: 'echo' });
  await stack.client.wait(id, 60_000);
  const doneAt = performance.now();
  stack.masters.splice(stack.masters.indexOf(leader), 1);
  const name = (figure: string) => ({ figure: `${figure}, ${among}`, unit: 'ms', better: 'lower' }) as const;
  figures.add(name('takeover from the end of the session'), doneAt - (await gone));
  figures.add(name(`takeover from the kill, session of ${sessionMs} ms`), doneAt - killedAt);
}

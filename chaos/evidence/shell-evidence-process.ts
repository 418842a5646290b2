// The process that a command of shell-evidence.ts runs: leaves evidence for as long as it is told, or until SIGTERM. What run it
// belongs to, its environment says (contract section 3).

import { setTimeout as delay } from 'node:timers/promises';
import { RunEvidence } from './run-evidence.ts';

const [file = '', pid = '', ms = '', manner = ''] = process.argv.slice(2);
const { TASKKEEPER_TASK_ID = '', TASKKEEPER_ATTEMPT = '', TASKKEEPER_FENCING_TOKEN = '' } = process.env;
const run = { task: TASKKEEPER_TASK_ID, attempt: Number(TASKKEEPER_ATTEMPT), token: TASKKEEPER_FENCING_TOKEN };
const evidence = new RunEvidence(file, { ...run, pid: Number(pid) });

process.on('SIGTERM', () => {
  if (manner === 'deaf') return;
  evidence.end('aborted');
  process.exit(143);
});
evidence.start();
await delay(Number(ms));
evidence.end('returned');
console.log(JSON.stringify({ token: run.token, attempt: run.attempt, pid: Number(pid) }));

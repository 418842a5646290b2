// `npm test [-- pattern ... --node-option]`: everything that the tests need, then the tests: all of them, or those whose
// path has one of the patterns in it, `npm test -- integration/support`.

import { build } from './build.mjs';
import { fail } from './install.mjs';
import { findTests, limitsKnownTo, runTests } from './test-run.mjs';

const args = process.argv.slice(2);
const options = args.filter((arg) => arg.startsWith('--'));
const patterns = args.filter((arg) => !arg.startsWith('--'));

build();
const files = findTests('test', patterns);
if (files.length === 0) fail(`No test file has ${patterns.join(' or ')} in its path.`);
const { ensureZooKeeper } = await import('../dist/scripts/ensure-zookeeper.js');
try {
  ensureZooKeeper();
} catch (error) {
  fail(error.message);
}
if (files.some((file) => file.includes('grpc-python'))) {
  // Before the tests, some of which measure time; what is still missing then is for the test to say.
  const { ensurePythonGrpc } = await import('../dist/scripts/ensure-python-grpc.js');
  ensurePythonGrpc();
}
process.exitCode = runTests(files, [...limitsKnownTo(process.versions.node), ...options]) ? 0 : 1;

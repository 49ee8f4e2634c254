// npm test: installs what is missing, builds, and runs every suite that can run on this machine.
// `npm test -- --without-peers` leaves the peer suites to `npm run test:peers`; other arguments go to vitest.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutRoot } from './lib/checkout.js';
import { run } from './lib/run.js';

/** @param {number} status */
function exitUnlessZero(status) {
  if (status !== 0) process.exit(status);
}

if (!existsSync(join(checkoutRoot, 'node_modules/.package-lock.json'))) {
  exitUnlessZero(run('npm', ['ci', '--no-audit', '--no-fund']));
}
exitUnlessZero(run(process.execPath, ['scripts/build.js']));

const args = process.argv.slice(2);
const withoutPeers = args.includes('--without-peers');
const projects = withoutPeers ? ['--project=unit', '--project=e2e'] : [];
const { printSummary, runTests } = await import('./lib/testReport.js');
const report = runTests([...projects, ...args.filter((arg) => arg !== '--without-peers')]);
printSummary(report);
process.exitCode = report.status !== 0 || report.failed > 0 ? 1 : 0;

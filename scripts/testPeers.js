// npm run test:peers: the comparisons with podman, skopeo and the others, which must all run. Fails without
// root or without the peers, when a test is skipped, and when fewer tests ran than there are known to be.
import { PEER_PROGRAMS, peersMissing } from './lib/peerPrograms.js';
import { run } from './lib/run.js';
import { printSummary, runTests } from './lib/testReport.js';

/** Raise it with every peer test that is added, so that none can vanish unnoticed. */
const MINIMUM = 604;

/** @param {string} reason */
function fail(reason) {
  process.stderr.write(`test:peers: error: ${reason}\n`);
  process.exit(1);
}

const missing = peersMissing();
if (missing) fail(`${missing}\nhint: as root, run scripts/install-peers.sh`);
for (const path of Object.values(PEER_PROGRAMS)) process.stdout.write(`peer: ${path}\n`);

const built = run(process.execPath, ['scripts/build.js']);
if (built !== 0) process.exit(built);

const report = runTests(['--project=peers', ...process.argv.slice(2)], { SEDIMENT_REQUIRE_PEERS: '1' });
printSummary(report);
if (report.status !== 0 || report.failed > 0) fail('a peer test failed');
if (report.skipped > 0) fail(`${report.skipped} peer tests were skipped; none may be`);
if (report.passed < MINIMUM) fail(`only ${report.passed} peer tests ran, expected at least ${MINIMUM}`);

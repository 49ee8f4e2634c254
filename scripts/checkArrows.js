// Fails when an import points the wrong way between packages, past a package's public face, or at a
// dependency that is not declared.
import { findArrowViolations } from './lib/arrows.js';
import { checkoutRoot } from './lib/checkout.js';

const violations = findArrowViolations(checkoutRoot);
for (const violation of violations) process.stderr.write(`${violation}\n`);
if (violations.length > 0) {
  process.stderr.write(`${violations.length} wrong dependency arrow(s)\n`);
  process.exitCode = 1;
}

// Builds every package: type-checked ES modules and declarations of the libraries by `tsc -b`, and the
// commands as one bundle each, so that starting them reads a few files instead of several hundred.
import { bundleCommands } from './lib/bundleCommand.js';
import { runTool } from './lib/run.js';

const types = runTool('tsc', ['-b']);
if (types === 0) await bundleCommands();
process.exitCode = types;

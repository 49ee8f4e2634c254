// Builds every package: type-checked ES modules and declarations of the libraries by `tsc -b`, and the
// command as one bundle, so that starting it reads a few files instead of several hundred.
import { bundleCommand } from './lib/bundleCommand.js';
import { runTool } from './lib/run.js';

const types = runTool('tsc', ['-b']);
if (types === 0) bundleCommand();
process.exitCode = types;

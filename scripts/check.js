// Everything that can be said about the sources without running them. All steps run, so that one round
// shows all there is to mend.
import { run, runTool } from './lib/run.js';

/** @type {Record<string, () => number>} */
const STEPS = {
  'format and lint': () => runTool('biome', ['ci', '--error-on-warnings', '--colors=off', '.']),
  'types of the packages': () => runTool('tsc', ['-b', '--pretty', 'false']),
  'types of tests and scripts': () => runTool('tsc', ['-p', 'tsconfig.test.json', '--pretty', 'false']),
  'dependency arrows': () => run(process.execPath, ['scripts/checkArrows.js']),
};

const failed = [];
for (const [name, step] of Object.entries(STEPS)) {
  process.stdout.write(`# ${name}\n`);
  if (step() !== 0) failed.push(name);
}
process.stdout.write(failed.length === 0 ? 'check: all well\n' : `check: failed: ${failed.join(', ')}\n`);
process.exitCode = failed.length === 0 ? 0 : 1;

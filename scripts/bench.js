// npm run bench: this store and its peers, in turn, on the same images. See docs/performance.md.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseBenchArguments, USAGE } from './bench/benchArguments.js';
import { missingPrograms } from './bench/helperProgram.js';
import { runIsolated } from './bench/isolation.js';
import { markdownOf } from './bench/markdown.js';
import { alignColumns, formatTargets } from './bench/report.js';
import { ALL_SCENES } from './bench/scenes/allScenes.js';
import { run } from './lib/run.js';

process.exitCode = await bench(process.argv.slice(2));

/**
 * @param {string[]} argv
 * @returns {Promise<number>} exit status
 */
async function bench(argv) {
  const started = Date.now();
  const options = parse(argv);
  if (options === undefined) return 2;
  if (options.help || options.list) {
    const rows = ALL_SCENES.map(({ name, summary, targets }) => [name, summary, formatTargets(targets)]);
    process.stdout.write(options.help ? USAGE : `${alignColumns(rows).join('\n')}\n`);
    return 0;
  }
  if (options.markdown !== undefined) {
    const lines = markdownOf(JSON.parse(readFileSync(options.markdown, 'utf8')));
    process.stdout.write(`${lines.join('\n')}\n`);
    return 0;
  }
  const reason = obstacle();
  if (reason !== undefined) {
    process.stderr.write(`bench: error: ${reason}\n`);
    return 1;
  }
  const built = options.build ? run(process.execPath, ['scripts/build.js']) : 0;
  if (built !== 0) return built;
  const main = fileURLToPath(new URL('bench/main.js', import.meta.url));
  return runIsolated(main, { directory: options.directory, args: argv, started });
}

/** @param {string[]} argv */
function parse(argv) {
  try {
    return parseBenchArguments(
      argv,
      ALL_SCENES.map(({ name }) => name),
    );
  } catch (error) {
    process.stderr.write(`bench: error: ${/** @type {Error} */ (error).message}\n`);
    return undefined;
  }
}

/** Why nothing at all can be measured here. */
function obstacle() {
  if (process.platform !== 'linux') return 'needs Linux';
  if (process.geteuid?.() !== 0) return 'needs root, for loop devices and stores of root';
  return missingPrograms(['unshare', 'mount', 'umount', 'findmnt', 'mkfs.ext4', 'time', 'tar', 'python3']);
}

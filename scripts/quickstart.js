// npm run quickstart: from a fresh checkout to a container, with a look at every file of the store on the
// way. What it tells is checked as it goes: where something is not as told, it fails.
//
//   npm run quickstart -- --keep       leaves the store as it is in the end, for a look of your own
//   npm run quickstart -- --dir DIR    works below DIR instead of the directory for temporary files
//   npm run quickstart -- --no-build   takes the command as it was built before
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { removeDirectory } from './quickstart/cleanup.js';
import { abbreviate, say } from './quickstart/narrator.js';
import { obstacle, prepareCommand } from './quickstart/prepare.js';
import { runTour } from './quickstart/runTour.js';

const { values } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    dir: { type: 'string', default: tmpdir() },
    'no-build': { type: 'boolean', default: false },
  },
});
process.exitCode = await quickstart({
  parent: resolve(values.dir),
  keep: values.keep,
  build: !values['no-build'],
});

/**
 * @param {{ parent: string, keep: boolean, build: boolean }} options `parent`: where to work
 * @returns {Promise<number>} exit status
 */
async function quickstart({ parent, keep, build }) {
  say('This makes a container image, imports it into a store of its own, and shows what a store is made of.');
  const reason = obstacle();
  if (reason !== undefined) {
    process.stderr.write(`\nThe quickstart cannot run here. ${reason}\n`);
    return 1;
  }
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, 'sediment-quickstart-'));
  // Ctrl-C also ends the program that runs at that moment, and then the tour fails by itself
  process.on('SIGINT', () => {
    finish(directory, keep);
    process.exit(130);
  });
  try {
    if (build) prepareCommand();
    say('');
    say(`The tour works in ${directory}, called $DIR from here on. Of long ids, the first digits are shown.`);
    abbreviate(directory, '$DIR');
    await runTour(directory, keep);
    process.stdout.write('\nEverything came out as described.\n');
    return 0;
  } catch (error) {
    process.stderr.write(`\nThe quickstart failed: ${error instanceof Error ? error.message : error}\n`);
    return 1;
  } finally {
    process.removeAllListeners('SIGINT');
    finish(directory, keep);
  }
}

/**
 * Cleans up, or says how to go on.
 *
 * @param {string} directory
 * @param {boolean} keep
 */
function finish(directory, keep) {
  if (!keep) {
    removeDirectory(directory);
    process.stdout.write(`${directory} is removed; run it with "-- --keep" to look around in it.\n`);
    return;
  }
  const lines = [
    'It is all still there. To go on:',
    `  export CONTAINERS_STORAGE_CONF=${directory}/storage.conf`,
    ...(process.env.STORAGE_DRIVER === 'vfs' ? ['  export STORAGE_DRIVER=vfs'] : []),
    '  npx sediment images',
    'To remove it:',
    `  rm -r ${directory}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

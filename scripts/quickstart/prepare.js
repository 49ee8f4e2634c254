import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { checkoutRoot } from '../lib/checkout.js';
import { output, say, step, typed } from './narrator.js';

/** Why the quickstart cannot run here at all; undefined when it can. */
export function obstacle() {
  if (process.platform !== 'linux') {
    return `A store can only be changed on Linux; this is ${process.platform}. Use a virtual machine or a container.`;
  }
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    return `Node.js 20.19 or newer is needed; this is ${process.version}.`;
  }
  if (process.geteuid?.() !== 0) {
    return (
      'Only root can unpack an image so that every file belongs to its owner, with either driver, and only ' +
      'root can mount. Run it as root: sudo npm run quickstart'
    );
  }
  return undefined;
}

/** Installs the dependencies if they are missing, and builds the command. */
export function prepareCommand() {
  step('Build the command');
  if (!existsSync(join(checkoutRoot, 'node_modules/.package-lock.json'))) {
    say('The dependencies are not installed yet.');
    runQuietly('npm', ['ci', '--no-audit', '--no-fund']);
  }
  runQuietly('npm', ['run', 'build']);
  say('');
  say('node_modules/.bin/sediment is ready; it is called "sediment" from here on.');
}

/**
 * Shows the output of a program only when it fails.
 *
 * @param {string} program
 * @param {string[]} args
 */
function runQuietly(program, args) {
  typed([program, ...args].join(' '));
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd: checkoutRoot, encoding: 'utf8' });
  if (error) throw error;
  if (status === 0) return;
  output(stdout + stderr);
  throw new Error(`${program} ${args.join(' ')}: exit status ${status}`);
}

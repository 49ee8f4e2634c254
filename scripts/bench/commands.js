import { join } from 'node:path';
import { checkoutRoot } from '../lib/checkout.js';
import { PEER_PROGRAMS } from '../lib/peerPrograms.js';
import { programPath } from './helperProgram.js';

/**
 * @typedef {import('./place.js').Place} Place
 * @typedef {import('./measure.js').Command} Command
 * @typedef {'overlay' | 'vfs'} Driver
 * @typedef {'none' | 'ordered' | 'full'} Durability
 */

/** The commands as npm installs them, run by the node that runs this. */
export const OUR_COMMANDS = {
  sediment: join(checkoutRoot, 'packages/cli/bin/sediment.cjs'),
  'containers-storage': join(checkoutRoot, 'packages/containers-storage/bin/containers-storage.cjs'),
};

/**
 * @param {Place} place
 * @param {Driver} driver
 * @param {readonly string[]} args
 * @returns {Command}
 */
export function sediment({ graphRoot, runRoot, env }, driver, args) {
  const roots = ['--root', graphRoot, '--runroot', runRoot, '--storage-driver', driver];
  return { program: process.execPath, args: [OUR_COMMANDS.sediment, ...roots, ...args], env };
}

/**
 * An import of ours, under the policy of the peers, who sync no layers, unless told otherwise.
 *
 * @param {Place} place
 * @param {Driver} driver
 * @param {string} source archive, or directory with an OCI layout
 * @param {Durability} [durability]
 * @returns {Command}
 */
export function importOurs(place, driver, source, durability = 'none') {
  return sediment(place, driver, ['--durability', durability, 'import', '--quiet', source]);
}

/**
 * The drop-in of ours, or the Go program of that name.
 *
 * @param {'ours' | 'peer'} side
 * @param {Place} place
 * @param {readonly string[]} args the command first
 * @returns {Command}
 */
export function containersStorage(side, { graphRoot, runRoot, env }, [command = '', ...rest]) {
  const roots = ['--graph', graphRoot, '--run', runRoot, '--storage-driver', 'overlay'];
  const args = [command, ...roots, ...rest];
  return side === 'peer'
    ? { program: PEER_PROGRAMS['containers-storage'], args, env }
    : { program: process.execPath, args: [OUR_COMMANDS['containers-storage'], ...args], env };
}

/**
 * @param {Place} place
 * @param {readonly string[]} args
 * @returns {Command}
 */
export function skopeo({ env }, args) {
  return { program: PEER_PROGRAMS.skopeo, args: ['--insecure-policy', ...args], env };
}

/**
 * @param {Place} place
 * @param {Driver} driver
 * @param {string} name of an image
 * @returns {string} how skopeo names it
 */
export function storeReference({ graphRoot, runRoot }, driver, name) {
  return `containers-storage:[${driver}@${graphRoot}+${runRoot}]${name}`;
}

/**
 * @param {Place} place
 * @param {Driver} driver
 * @param {readonly string[]} args
 * @returns {Command}
 */
export function podman({ graphRoot, runRoot, libpodTmp, env }, driver, args) {
  const roots = [
    '--root',
    graphRoot,
    '--runroot',
    runRoot,
    '--storage-driver',
    driver,
    '--tmpdir',
    libpodTmp,
  ];
  return { program: PEER_PROGRAMS.podman, args: [...roots, ...args], env };
}

/**
 * @param {Place} place
 * @param {readonly string[]} args
 * @returns {Command}
 */
export function umoci({ env }, args) {
  return { program: PEER_PROGRAMS.umoci, args, env };
}

/**
 * The least that unpacking takes: each layer into a directory of its own, nothing hashed, nothing recorded.
 *
 * @param {Place} place
 * @param {readonly string[]} layers files, from the lowest up
 * @param {'gzip' | 'none'} compression
 * @returns {Command}
 */
export function untar({ path, env }, layers, compression) {
  const tar = `${programPath('tar')} -xp --numeric-owner -C "$to"`;
  const unpack =
    compression === 'gzip' ? `${programPath('pigz')} -dc "$layer" | ${tar}` : `${tar} -f "$layer"`;
  const script = `set -e; n=0; for layer; do to=${path}/tree/$n; mkdir -p "$to"; ${unpack}; n=$((n + 1)); done`;
  return { program: '/bin/sh', args: ['-c', script, 'sh', ...layers], env };
}

import { mkdirSync, rmdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runHelper } from './helperProgram.js';

const SIZE_BYTES = 8 * 1024 ** 3;

/**
 * A fresh ext4 with room for a store, which no program but that of one run uses.
 *
 * @typedef {object} Place
 * @property {string} path the mount point
 * @property {string} graphRoot
 * @property {string} runRoot
 * @property {string} libpodTmp podman's own volatile state
 * @property {Record<string, string>} env points every containers program at this store, even without options
 * @property {() => void} dispose unmounts and removes it
 */

let count = 0;

/**
 * @param {string} directory an existing one
 * @param {{ inodes?: number }} [options] `inodes`: when it has to have more than usual, which is half a million
 * @returns {Place}
 */
export function makePlace(directory, { inodes } = {}) {
  count += 1;
  const file = join(directory, `place-${count}.ext4`);
  const path = join(directory, `place-${count}`);
  mountFreshExt4(file, path, inodes);
  const at = (/** @type {string} */ name) => join(path, name);
  const places = { graphRoot: at('graph'), runRoot: at('run'), libpodTmp: at('libpod') };
  for (const place of [...Object.values(places), at('tmp')]) mkdirSync(place, { mode: 0o700 });
  writeFileSync(
    at('storage.conf'),
    `[storage]\ndriver = "overlay"\ngraphroot = "${places.graphRoot}"\nrunroot = "${places.runRoot}"\n`,
  );
  writeFileSync(at('containers.conf'), '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n');
  return {
    path,
    ...places,
    env: {
      PATH: '/usr/bin:/usr/sbin:/bin:/sbin',
      LC_ALL: 'C',
      HOME: at('tmp'),
      TMPDIR: at('tmp'),
      CONTAINERS_STORAGE_CONF: at('storage.conf'),
      CONTAINERS_CONF: at('containers.conf'),
    },
    dispose: () => {
      runHelper('umount', ['--recursive', path], { evenLate: true });
      rmSync(file);
      rmdirSync(path);
    },
  };
}

/**
 * The inode tables are neither written beforehand nor by the kernel in the background, which would disturb
 * the run.
 *
 * @param {string} file
 * @param {string} mountPoint
 * @param {number} [inodes]
 */
export function mountFreshExt4(file, mountPoint, inodes) {
  writeFileSync(file, '');
  truncateSync(file, SIZE_BYTES);
  const extended = 'lazy_itable_init=1,lazy_journal_init=1,nodiscard';
  const number = inodes === undefined ? [] : ['-N', String(inodes)];
  runHelper('mkfs.ext4', ['-q', '-F', '-E', extended, ...number, file]);
  mkdirSync(mountPoint, { mode: 0o700 });
  runHelper('mount', ['-o', 'loop,noinit_itable', file, mountPoint]);
}

import { existsSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runHelper } from '../helperProgram.js';
import { mountFreshExt4 } from '../place.js';
import { packHostFiles, selectHostFiles } from './hostFiles.js';
import { hostPackageSource } from './hostPackageSource.js';

/** @typedef {'debootstrap' | 'host' | 'quick'} BaseOrigin `quick`: files of the host, too, in images made in a hurry */

/**
 * Packs the file system of a small Debian or Ubuntu, made by debootstrap from this machine's own package source.
 *
 * @param {string} tar file to write
 * @param {string} scratch directory for a loop-mounted file system: debootstrap needs devices and programs to work
 * @throws {Error} when debootstrap or the network is not there
 */
export function packDebootstrap(tar, scratch) {
  const source = hostPackageSource();
  if (source === undefined) throw new Error('no package source of Debian or Ubuntu found in /etc/apt');
  const file = join(scratch, 'debootstrap.ext4');
  const mountPoint = join(scratch, 'debootstrap');
  mountFreshExt4(file, mountPoint);
  try {
    const root = join(mountPoint, 'root');
    runHelper('debootstrap', ['--variant=minbase', source.suite, root, source.mirror]);
    for (const left of ['var/cache/apt', 'var/lib/apt/lists', 'debootstrap']) {
      if (existsSync(join(root, left))) rmSync(join(root, left), { recursive: true });
    }
    const args = ['--create', `--file=${tar}`, '--format=gnu', '--numeric-owner', '--sort=name'];
    // not "." alone: docker and buildah name entries without ./ in front
    runHelper('tar', [...args, `--directory=${root}`, ...readdirSync(root).sort()]);
  } finally {
    runHelper('umount', ['--recursive', mountPoint], { evenLate: true });
    rmdirSync(mountPoint);
    rmSync(file);
  }
}

/**
 * Packs as much as a base system has of this machine's own files.
 *
 * @param {string} tar file to write
 */
export function packHostBase(tar) {
  const roots = ['usr/bin', 'usr/lib', 'usr/share', 'usr/sbin'];
  packHostFiles(tar, selectHostFiles({ roots, bytesPerRoot: 45e6, entriesPerRoot: 2000 }));
}

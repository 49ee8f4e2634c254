import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError, type WarningHandler, wrapSystemError } from '@sediment/core';
import { capabilities } from '@sediment/posix';
import { cleanUpAfterFailure } from '../cleanUpAfterFailure.ts';
import { ensureDirectory } from '../exactModes.ts';
import { fileSystemName, isNetworkFileSystem } from '../fileSystemNames.ts';
import { hasMountProgram, MOUNT_PROGRAM_FILE } from './mountProgram.ts';
import type { OverlayHome } from './overlayHome.ts';

const PRIVATE_MODE = 0o700;
const LINKS_MODE = 0o755;
/** File systems that the kernel does not take as upper directory. */
const NO_UPPER = new Set(['aufs', 'ecryptfs', 'overlayfs']);

export interface HomePlace {
  /** That of the graph root. */
  readonly home: OverlayHome;
  /** That of a split image store; or the same. */
  readonly imageHome: OverlayHome;
  readonly graphRoot: string;
  /** `<run root>/overlay`, for probe results. */
  readonly runHome: string;
  readonly inUserNamespace: boolean;
  /** That other programs mount with; empty if there is none. */
  readonly mountProgram: string;
  readonly onWarning: WarningHandler;
}

/**
 * Makes the driver home if this host and file system can have one, runs `probe` in it, and takes it away
 * again if that fails: an empty home would make later programs believe that overlay is in use here.
 *
 * @throws {StorageError} `DRIVER_PREREQUISITES`
 */
export function prepareHome<T>(place: HomePlace, probe: () => T): T {
  checkHost();
  checkFileSystem(place);
  const made = makeHomes(place);
  try {
    checkMountProgram(place.home.path);
    const result = probe();
    announceKernel(place);
    return result;
  } catch (error) {
    for (const home of made) cleanUpAfterFailure(home.path, place.onWarning, () => removeHome(home));
    throw wrapSystemError(error, `the overlay driver cannot use ${place.home.path}`, 'DRIVER_PREREQUISITES', {
      path: place.home.path,
    });
  }
}

function checkHost(): void {
  const { native, reason } = capabilities();
  if (!native) {
    throw new StorageError('DRIVER_PREREQUISITES', `the overlay driver needs native calls: ${reason}`, {
      hint: 'use snapshot access, which only reads',
    });
  }
  if (process.geteuid?.() !== 0) {
    throw new StorageError('DRIVER_PREREQUISITES', 'the overlay driver needs root privileges to mount', {
      hint: 'run as root, or as root of a user namespace',
    });
  }
}

function checkFileSystem({ graphRoot, inUserNamespace }: HomePlace): void {
  const name = fileSystemName(graphRoot);
  if (NO_UPPER.has(name)) {
    throw new StorageError(
      'DRIVER_PREREQUISITES',
      `'overlay' is not supported over ${name}, a mount_program is required`,
      { path: graphRoot, hint: 'choose a graph root on another file system (ext4, xfs), or the vfs driver' },
    );
  }
  if (inUserNamespace && isNetworkFileSystem(name)) {
    throw new StorageError(
      'DRIVER_PREREQUISITES',
      `'overlay' is not supported over the network file system ${name} in a user namespace`,
      { path: graphRoot, hint: 'choose a graph root on a local file system, or the vfs driver' },
    );
  }
}

/** @returns the homes that were not there before */
function makeHomes({ home, imageHome, runHome }: HomePlace): OverlayHome[] {
  try {
    mkdirSync(join(runHome, '..'), { recursive: true, mode: PRIVATE_MODE });
    ensureDirectory(runHome, PRIVATE_MODE);
  } catch (error) {
    throw wrapSystemError(error, `making ${runHome}`, 'GRAPHROOT_UNUSABLE', { path: runHome });
  }
  return [...new Set([home, imageHome])].filter(makeHome);
}

function makeHome(home: OverlayHome): boolean {
  try {
    const made = ensureDirectory(home.path, PRIVATE_MODE);
    ensureDirectory(home.links, LINKS_MODE);
    return made;
  } catch (error) {
    throw wrapSystemError(error, `making the driver home ${home.path}`, 'GRAPHROOT_UNUSABLE', {
      path: home.path,
    });
  }
}

function checkMountProgram(home: string): void {
  if (!hasMountProgram(home)) return;
  throw new StorageError(
    'DRIVER_PREREQUISITES',
    `the layers in ${home} belong to a mount program (fuse-overlayfs)`,
    {
      path: join(home, MOUNT_PROGRAM_FILE),
      hint: 'use podman for this store, or choose another graph root',
    },
  );
}

/** Mount programs read what is written for the kernel, so that other programs may go on with theirs. */
function announceKernel({ mountProgram, home, onWarning }: HomePlace): void {
  if (mountProgram === '') return;
  onWarning({
    code: 'MOUNT_PROGRAM_UNUSED',
    message: `the kernel can mount overlay, so the mount program ${mountProgram} is not used`,
    object: mountProgram,
    path: home.path,
  });
}

function removeHome(home: OverlayHome): void {
  rmSync(join(home.path, MOUNT_PROGRAM_FILE), { force: true });
  rmdirSync(home.links);
  rmdirSync(home.path);
}

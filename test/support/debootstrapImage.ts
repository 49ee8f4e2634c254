import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from './imageArchive.ts';
import { isolate, peerPath } from './peers.ts';
import { mustRun } from './runProgram.ts';
import { makeScratchDirectory, removeScratchDirectory } from './storeRoot.ts';

export interface ImageFiles {
  /** The image as an OCI archive with gzip layers, and as a docker-archive with plain ones. */
  ociArchive: string;
  dockerArchive: string;
  /** The name that the image has in both. */
  name: string;
}

const SCRIPT = fileURLToPath(new URL('debootstrapImage.sh', import.meta.url));
const CACHE = process.env.SEDIMENT_TEST_CACHE ?? '/var/tmp/sediment-test-cache';

/**
 * A Debian image of several apt layers, with setuid files, capabilities, hard links, deletions, replaced
 * directories and devices. It is made once per machine, which takes one or two minutes and needs root,
 * buildah, debootstrap and the machine's own package source.
 */
export async function debootstrapImage(): Promise<ImageFiles> {
  const directory = join(CACHE, `debian-${process.arch}-${sha256(readFileSync(SCRIPT)).slice(0, 16)}`);
  if (!existsSync(directory)) await makeImage(directory);
  return {
    ociArchive: join(directory, 'image.oci.tar'),
    dockerArchive: join(directory, 'image.docker.tar'),
    name: 'localhost/debian-with-layers:1',
  };
}

async function makeImage(directory: string): Promise<void> {
  const { suite, mirror } = hostPackageSource();
  const work = makeScratchDirectory('debian');
  try {
    const { program, args } = isolate('/bin/sh', [SCRIPT, work, suite, mirror, peerPath('buildah')]);
    await mustRun(program, args, { env: { TMPDIR: work } });
    mkdirSync(CACHE, { recursive: true });
    const made = mkdtempSync(join(CACHE, 'making-'));
    for (const name of ['image.oci.tar', 'image.docker.tar'])
      copyFileSync(join(work, name), join(made, name));
    keepFirst(made, directory);
  } finally {
    removeScratchDirectory(work);
  }
}

/** Where two runs made the image at once, the first one's stays. */
function keepFirst(made: string, directory: string): void {
  try {
    renameSync(made, directory);
  } catch (error) {
    rmSync(made, { recursive: true });
    if (!existsSync(directory)) throw error;
  }
}

/** The first package source of this machine, in either of apt's two formats. */
function hostPackageSource(): { suite: string; mirror: string } {
  const folder = '/etc/apt/sources.list.d';
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  for (const file of ['/etc/apt/sources.list', ...files].filter((path) => existsSync(path))) {
    const text = readFileSync(file, 'utf8');
    const mirror = /^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(https?:\/\/\S+)/m.exec(text)?.[1];
    const suite =
      /^Suites:\s+(\S+)/m.exec(text)?.[1] ?? /^deb\s(?:.*\s)?https?:\/\/\S+\s+(\S+)/m.exec(text)?.[1];
    if (/\.(list|sources)$/.test(file) && mirror && suite) return { mirror, suite };
  }
  throw new Error('no package source found in /etc/apt: the Debian image cannot be made');
}

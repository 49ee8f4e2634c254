import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { PEER_PROGRAMS } from '../../scripts/lib/peerPrograms.js';
import { mountsBelow } from './mounts.ts';
import type { StoreRoot } from './storeRoot.ts';

export interface LeftoverOptions {
  /** Mount points below the store that are meant to be there. */
  mounts?: string[];
}

/**
 * What a finished command of ours left behind on a store and should not have.
 *
 * @returns one line for each mount, process, temporary file and staging directory; empty when it was a good guest
 */
export function findLeftovers(store: StoreRoot, { mounts = [] }: LeftoverOptions = {}): string[] {
  return [
    ...mountsBelow(store.path)
      .filter(({ mountPoint }) => mountPoint !== store.path && !mounts.includes(mountPoint))
      .map(({ mountPoint, fstype }) => `mount of ${fstype} on ${mountPoint}`),
    ...processesOn(store).map((line) => `process ${line}`),
    ...findDebris(store).map((path) => `file ${path}`),
    ...readdirSync(store.tmp).map((name) => `file ${join(store.tmp, name)}`),
  ];
}

/** Throws with the whole list when a finished command left anything behind. */
export function assertNothingLeft(store: StoreRoot, options?: LeftoverOptions): void {
  const left = findLeftovers(store, options);
  if (left.length > 0) throw new Error(`left behind in ${store.path}:\n${left.join('\n')}`);
}

/**
 * What a killed command leaves in a store: temporary record files, staged additions and deletions with
 * their lock files, and driver directories and tar-split files of layers that no record names.
 */
export function findDebris({ graphRoot, runRoot, driver, imageStore = graphRoot }: StoreRoot): string[] {
  const layersDirectory = join(graphRoot, `${driver}-layers`);
  const staging = [
    join(layersDirectory, 'tmp'),
    join(graphRoot, driver, 'tempdirs'),
    join(graphRoot, driver, 'staging'),
    join(graphRoot, 'sediment', 'tmp'),
  ];
  const recordDirectories = ['layers', 'images', 'containers'].flatMap((kind) => [
    join(graphRoot, `${driver}-${kind}`),
    join(runRoot, `${driver}-${kind}`),
  ]);
  return [
    ...staging.flatMap(children),
    ...recordDirectories
      .flatMap((directory) => [directory, ...children(directory)])
      .flatMap(children)
      .filter((path) => path.includes('/.tmp-')),
    ...orphans({
      recordDirectories: [layersDirectory, join(imageStore, `${driver}-layers`)],
      directories: [layersDirectory, ...[graphRoot, imageStore].map((root) => treesBelow(root, driver))],
    }),
  ];
}

function treesBelow(root: string, driver: string): string {
  return driver === 'vfs' ? join(root, 'vfs/dir') : join(root, driver);
}

interface LayerPlaces {
  recordDirectories: string[];
  directories: string[];
}

/** Driver directories and tar-split files whose layer has no record. */
function orphans({ recordDirectories, directories }: LayerPlaces): string[] {
  const known = new Set(recordDirectories.flatMap(layerIds));
  const isOrphan = (path: string): boolean => {
    const id = /\/([0-9a-f]{64})(\.tar-split\.gz)?$/.exec(path)?.[1];
    return id !== undefined && !known.has(id);
  };
  return [...new Set(directories)].flatMap(children).filter(isOrphan);
}

function layerIds(directory: string): string[] {
  const files = ['layers.json', 'volatile-layers.json'].map((name) => join(directory, name));
  const texts = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'));
  return texts.flatMap((text) => (JSON.parse(text || '[]') as Array<{ id: string }>).map(({ id }) => id));
}

function children(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name));
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

/** Live processes that name the store in their arguments, this one and the peers left out. */
function processesOn(store: StoreRoot): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      const command = ofProcess(pid, (directory) => readFileSync(`${directory}/cmdline`, 'utf8'));
      if (!command.includes(store.path)) return [];
      const program = ofProcess(pid, (directory) => readlinkSync(`${directory}/exe`));
      return PEERS.has(program) ? [] : [`${pid}: ${command.replaceAll('\0', ' ').trim()}`];
    });
}

/** podman cleans up after a container in the background. */
const PEERS = new Set<string>([...Object.values(PEER_PROGRAMS), '/usr/bin/conmon']);

/** A process may end between the listing and the look at it: then nothing can be said of it. */
function ofProcess(pid: string, look: (directory: string) => string): string {
  try {
    return look(`/proc/${pid}`);
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}

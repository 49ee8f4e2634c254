import { createHash } from 'node:crypto';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { mountsBelow } from './mounts.ts';

const HOST_STORE = '/var/lib/containers/storage';
/** Only the file that we write; older peers write to another one beside it. */
const HOST_CACHE = '/var/lib/containers/cache/blob-info-cache-v1.sqlite';

/** Before and after all suites: fails the run when a test touched the store or the blob-info cache of this host. */
export function setup(): () => void {
  const places = [HOST_STORE, HOST_CACHE];
  const before = places.map(fingerprint);
  return () => {
    const changed = places.filter((place, i) => fingerprint(place) !== before[i]);
    if (changed.length === 0) return;
    // the runner only prints what a teardown throws
    process.exitCode = 1;
    throw new Error(`the tests changed ${changed.join(' and ')}, the host's own`);
  };
}

/** A hash of every name below a directory, when it was changed last, and what is mounted there. */
export function fingerprint(directory: string): string {
  const hash = createHash('sha256');
  const visit = (path: string): void => {
    const info = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (!info) return;
    hash.update(`${path}\0${info.ino} ${info.mode} ${info.size} ${info.mtimeNs} ${info.ctimeNs}\n`);
    if (info.isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
  };
  visit(directory);
  for (const { mountPoint, fstype } of mountsBelow(directory)) hash.update(`${mountPoint} ${fstype}\n`);
  return hash.digest('hex');
}

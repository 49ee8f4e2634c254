import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode } from '@sediment/core';
import { llistxattr } from '@sediment/posix';
import { joinBytes, withShortPath } from '../../staging/shortPath.ts';
import { writeExactFile } from '../exactModes.ts';

/** In the driver home: `true` or `false`. */
export const MOUNT_PROGRAM_FILE = '.has-mount-program';
const MODE = 0o600;
const WHITEOUT_PREFIX = Buffer.from('.wh.');
const MARKS = ['user.fuseoverlayfs.', 'user.containers.'];

/**
 * Whether this home is kept with a mount program (fuse-overlayfs), whose layers look different: whiteouts
 * are files, owners and modes may be attributes. The answer stands in a file that all programs share; it
 * is found by looking through the layers when the file is missing, and then written.
 */
export function hasMountProgram(home: string): boolean {
  const path = join(home, MOUNT_PROGRAM_FILE);
  const known = readFlag(path);
  if (known === 'true' || known === 'false') return known === 'true';
  const found = hasMarks(Buffer.from(home));
  writeExactFile(path, String(found), MODE);
  return found;
}

function readFlag(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function hasMarks(directory: Buffer): boolean {
  if (llistxattr(directory).some((name) => MARKS.some((mark) => name.toString().startsWith(mark))))
    return true;
  return withShortPath(directory, (short) =>
    readdirSync(short, { withFileTypes: true, encoding: 'buffer' }).some(
      (entry) =>
        entry.name.subarray(0, WHITEOUT_PREFIX.length).equals(WHITEOUT_PREFIX) ||
        (entry.isDirectory() && hasMarks(joinBytes(short, entry.name))),
    ),
  );
}

/** Directories and files with the mode that the format wants, whatever the umask of the program is. */
import {
  chmodSync,
  chownSync,
  closeSync,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  writeSync,
} from 'node:fs';
import { errnoCode, wrapSystemError } from '@sediment/core';

/** Permission bits (with suid, sgid and sticky) and owner of a directory. */
export interface DirectoryAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const OWNER_ALL = 0o700;
const MODE_BITS = 0o7777;

/** Makes one directory; nobody else can enter it before it has its owner and mode. */
export function makeDirectory(path: string, attributes: DirectoryAttributes): void {
  mkdirSync(path, OWNER_ALL);
  const { mode, uid, gid } = attributes;
  if (uid !== process.geteuid?.() || gid !== process.getegid?.()) chownSync(path, uid, gid);
  chmodSync(path, mode);
}

/**
 * Makes one directory of this user, unless it is there; then its mode stays.
 *
 * @returns whether it was made
 */
export function ensureDirectory(path: string, mode: number): boolean {
  try {
    mkdirSync(path, OWNER_ALL);
  } catch (error) {
    if (errnoCode(error) === 'EEXIST') return false;
    throw error;
  }
  chmodSync(path, mode);
  return true;
}

/** Gives a directory these attributes, where it has others. */
export function correctAttributes(path: string, { mode, uid, gid }: DirectoryAttributes): void {
  try {
    const present = lstatSync(path);
    if (present.uid !== uid || present.gid !== gid) chownSync(path, uid, gid);
    if ((present.mode & MODE_BITS) !== mode) chmodSync(path, mode);
  } catch (error) {
    throw wrapSystemError(error, `setting mode and owner of ${path}`, 'IO', { path });
  }
}

/** Writes a new file, or over an existing one. */
export function writeExactFile(path: string, text: string, mode: number): void {
  const fd = openSync(path, 'w', mode);
  try {
    writeSync(fd, text);
    fchmodSync(fd, mode);
  } finally {
    closeSync(fd);
  }
}

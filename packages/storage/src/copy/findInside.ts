import { cleanPath } from '@sediment/core';
import {
  close,
  fstatatIfExists,
  isPosixError,
  type PosixStat,
  readlinkat,
  S_IFLNK,
  S_IFMT,
} from '@sediment/posix';
import { directoryOpener } from '../unpack/resolveInRoot.ts';

/** A file, by the directory that holds it. */
export interface FoundFile {
  /** Descriptor of the directory, for use with paths only; whoever got it closes it. */
  readonly directory: number;
  /** `.` for the root itself. */
  readonly base: Buffer;
  readonly stat: PosixStat;
}

/** The kernel's limit (path_resolution(7)). */
const MAX_SYMLINKS = 40;
const SLASH = Buffer.from('/');
const SELF = Buffer.from('.');

/**
 * Finds a file as if the directory `root` were the root of the file system: symlinks are followed, also the
 * last one, and never lead out. Undefined when there is no such file. Throws `PosixError`.
 */
export function findInside(root: number, path: Buffer): FoundFile | undefined {
  const open = directoryOpener();
  let wanted = cleanPath(Buffer.concat([SLASH, path]));
  for (let symlinks = 0; symlinks <= MAX_SYMLINKS; symlinks++) {
    const { parent, base } = splitPath(wanted);
    let directory: number;
    try {
      directory = open(root, parent);
    } catch (error) {
      if (isPosixError(error, 'ENOENT') || isPosixError(error, 'ENOTDIR')) return undefined;
      throw error;
    }
    try {
      const stat = fstatatIfExists(directory, base);
      if (stat === undefined || (stat.mode & S_IFMT) !== S_IFLNK) {
        if (stat === undefined) close(directory);
        return stat === undefined ? undefined : { directory, base, stat };
      }
      const target = readlinkat(directory, base);
      wanted = target[0] === SLASH[0] ? target : Buffer.concat([parent, SLASH, target]);
    } catch (error) {
      close(directory);
      throw error;
    }
    close(directory);
  }
  return undefined;
}

/** A path through a descriptor, which needs no further resolution but of the last name. */
export function pathThrough(directory: number, base: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${directory}/`), base]);
}

/** Splits at the last slash, without cleaning: `..` behind a symlink is not what the text says. */
function splitPath(path: Buffer): { readonly parent: Buffer; readonly base: Buffer } {
  let end = path.length;
  while (end > 0 && path[end - 1] === SLASH[0]) end--;
  const slash = path.subarray(0, end).lastIndexOf('/');
  const base = path.subarray(slash + 1, end);
  const isName = base.length > 0 && !base.equals(SELF) && base.toString('latin1') !== '..';
  if (!isName) return { parent: withoutLeading(path.subarray(0, end)), base: SELF };
  return { parent: withoutLeading(path.subarray(0, Math.max(slash, 0))), base };
}

function withoutLeading(path: Buffer): Buffer {
  let start = 0;
  while (path[start] === SLASH[0]) start++;
  return path.subarray(start);
}

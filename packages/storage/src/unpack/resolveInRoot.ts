import {
  capabilities,
  close,
  isPosixError,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_PATH,
  openat,
  openat2,
  PosixError,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  readlinkat,
} from '@sediment/posix';

/**
 * Opens a directory below the directory `rootFd`, as if that were the root of the file system:
 * symlinks are followed inside it, absolute ones start there, `..` stops there. The caller closes the
 * descriptor (O_PATH). Throws `PosixError`.
 */
export type DirectoryOpener = (rootFd: number, path: Buffer) => number;

const FLAGS = O_PATH | O_DIRECTORY | O_CLOEXEC;
const HOW = { flags: FLAGS, resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
const HERE = Buffer.from('.');
const SLASH = 0x2f;
/** Limits of the kernel's own resolution (path_resolution(7)). */
const MAX_PATH = 4095;
const MAX_SYMLINKS = 40;
const ELOOP = 40;
const ENAMETOOLONG = 36;
const ENOTDIR = 20;

/** The opener for this host: the kernel's own where openat2 is allowed, else {@link walkInRoot}. */
export function directoryOpener(): DirectoryOpener {
  return capabilities().openat2 ? openInRoot : walkInRoot;
}

/** The kernel confines (openat2(2), RESOLVE_IN_ROOT). */
export function openInRoot(rootFd: number, path: Buffer): number {
  return openat2(rootFd, path.length === 0 ? HERE : path, HOW);
}

/**
 * The same by hand: each component is opened with O_NOFOLLOW from the directory before it, a symlink's
 * target takes its place among the components still to go, and `..` goes back to the directory that
 * was really walked through. Nobody else changes the tree meanwhile.
 */
export function walkInRoot(rootFd: number, path: Buffer): number {
  if (path.length > MAX_PATH) throw failed(ENAMETOOLONG, path);
  const pending = components(path).reverse();
  const walked: number[] = [];
  let symlinks = 0;
  try {
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (name.equals(PARENT)) {
        const left = walked.pop();
        if (left !== undefined) close(left);
        continue;
      }
      const next = openOrReadLink(walked.at(-1) ?? rootFd, name, path);
      if (typeof next === 'number') {
        walked.push(next);
        continue;
      }
      if (++symlinks > MAX_SYMLINKS) throw failed(ELOOP, path);
      if (next[0] === SLASH) for (const fd of walked.splice(0)) close(fd);
      pending.push(...components(next).reverse());
    }
    return walked.pop() ?? openat(rootFd, HERE, FLAGS);
  } finally {
    for (const fd of walked) close(fd);
  }
}

const PARENT = Buffer.from('..');

/** A descriptor for a directory, the target for a symlink. */
function openOrReadLink(dirfd: number, name: Buffer, path: Buffer): number | Buffer {
  try {
    return openat(dirfd, name, FLAGS | O_NOFOLLOW);
  } catch (error) {
    if (!isPosixError(error, 'ENOTDIR') && !isPosixError(error, 'ELOOP')) throw error;
  }
  try {
    return readlinkat(dirfd, name);
  } catch (error) {
    throw isPosixError(error, 'EINVAL') ? failed(ENOTDIR, path) : error;
  }
}

function components(path: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let start = 0; start < path.length; ) {
    const slash = path.indexOf(SLASH, start);
    const end = slash < 0 ? path.length : slash;
    const part = path.subarray(start, end);
    if (part.length > 0 && !part.equals(HERE)) parts.push(part);
    start = end + 1;
  }
  return parts;
}

function failed(errno: number, path: Buffer): PosixError {
  return new PosixError({ errno, syscall: 'openat', path });
}

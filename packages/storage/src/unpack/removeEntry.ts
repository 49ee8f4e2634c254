import { readdirSync } from 'node:fs';
import {
  AT_REMOVEDIR,
  close,
  isPosixError,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  unlinkat,
} from '@sediment/posix';

const FLAGS = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/**
 * Deletes a file, or a directory with all in it; symlinks are not followed. A missing entry is fine.
 * Throws `PosixError`.
 *
 * @param checkpoint is called for each entry and may throw, to stop
 */
export function removeEntry(dirfd: number, name: Buffer, checkpoint: () => void): void {
  checkpoint();
  try {
    unlinkat(dirfd, name);
    return;
  } catch (error) {
    if (isPosixError(error, 'ENOENT')) return;
    // EISDIR is what Linux says for directories, EPERM is POSIX.
    if (!isPosixError(error, 'EISDIR') && !isPosixError(error, 'EPERM')) throw error;
  }
  const fd = openat(dirfd, name, FLAGS);
  try {
    for (const child of listNames(fd)) removeEntry(fd, child, checkpoint);
  } finally {
    close(fd);
  }
  unlinkat(dirfd, name, AT_REMOVEDIR);
}

/** Names in an open directory, as bytes. Buffers that come from `readdir` itself take twice as long and memory each. */
export function listNames(fd: number): Buffer[] {
  const names = readdirSync(`/proc/self/fd/${fd}`, { encoding: 'latin1' });
  return names.map((name) => Buffer.from(name, 'latin1'));
}

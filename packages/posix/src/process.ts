/**
 * Attributes of the calling thread, and limits of the process. umask and working directory belong to all threads of a process
 * until a thread calls `unshare(CLONE_FS)`; from then on they are that thread's own, for synchronous
 * calls only (asynchronous ones run in libuv's threads, which keep the process's).
 */
import { cString } from './cString.ts';
import type { PathLike } from './files.ts';
import { cFunction } from './library.ts';
import { checked } from './posixError.ts';

const RLIMIT_NOFILE = 7;
const RLIMIT_SIZE = 16;

const c = {
  unshare: cFunction<[number]>('unshare', { parameters: ['int'] }),
  umask: cFunction<[number]>('umask', { parameters: ['uint32_t'], result: 'uint32_t' }),
  chdir: cFunction<[string | Buffer]>('chdir', { parameters: ['char *'] }),
  getrlimit: cFunction<[number, Buffer]>('getrlimit', { parameters: ['int', 'void *'] }),
};

/**
 * Gives the calling thread own copies of what `flags` (`CLONE_*`) name. `CLONE_FS` needs no privilege;
 * call it in worker threads only, since the main thread would part from libuv's threads. `CLONE_NEWUSER`
 * is always refused here (EINVAL): Node has several threads.
 */
export function unshare(flags: number): void {
  checked(c.unshare(flags), 'unshare');
}

/** Sets the umask and returns the one before. Works in worker threads, unlike `process.umask`. */
export function umask(mask: number): number {
  return c.umask(mask);
}

/** Changes the working directory of the thread; `process.cwd()` may go on to answer the former one. */
export function chdir(path: PathLike): void {
  checked(c.chdir(cString(path, 'path')), 'chdir', path);
}

/** How many descriptors this process may have open (the soft RLIMIT_NOFILE); each has a number below that. */
export function openFileLimit(): number {
  const limit = Buffer.alloc(RLIMIT_SIZE);
  checked(c.getrlimit(RLIMIT_NOFILE, limit), 'getrlimit');
  return Number(limit.readBigUInt64LE());
}

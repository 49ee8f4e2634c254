/**
 * Open-file-description locks on a whole file (fcntl(2), "Open file description locks"). They conflict
 * with the POSIX record locks of other programs but belong to the descriptor, not to the process: they
 * also exclude between threads, and closing another descriptor of the file does not drop them.
 */
import { cFunction, lastErrno } from './library.ts';
import { checked, errnoNumber, PosixError } from './posixError.ts';

const F_OFD_GETLK = 36;
const F_OFD_SETLK = 37;
const F_RDLCK = 0;
const F_WRLCK = 1;
const F_UNLCK = 2;
const FLOCK_SIZE = 32;

const BUSY = new Set([errnoNumber('EAGAIN'), errnoNumber('EACCES')]);

const fcntl = cFunction<[number, number, Buffer]>('fcntl', { parameters: ['int', 'int', 'void *'] });

/** `struct flock` of a whole-file request: whence SEEK_SET, start 0, length 0 (to the end), pid 0. */
function wholeFile(type: number): Buffer {
  const struct = Buffer.alloc(FLOCK_SIZE);
  struct.writeInt16LE(type, 0);
  return struct;
}

/**
 * Tries to lock without waiting; converts a lock that this descriptor already holds.
 *
 * @returns false when another descriptor or process holds a conflicting lock
 * @throws {PosixError} EBADF when the descriptor's access mode does not fit, ENOLCK, EINVAL where the
 *   file system or kernel has no such locks
 */
export function ofdTryLock(fd: number, mode: 'read' | 'write'): boolean {
  if (fcntl(fd, F_OFD_SETLK, wholeFile(mode === 'write' ? F_WRLCK : F_RDLCK)) === 0) return true;
  const errno = lastErrno();
  if (BUSY.has(errno)) return false;
  throw new PosixError({ errno, syscall: 'fcntl' });
}

/**
 * Releases the lock of this descriptor. Needed before closing it: a child that was just forked may
 * hold a copy of the description, which would keep the lock until the child executes a program.
 */
export function ofdUnlock(fd: number): void {
  checked(fcntl(fd, F_OFD_SETLK, wholeFile(F_UNLCK)), 'fcntl');
}

/** The lock that stands in the way of a request, or undefined if it would be granted. */
export function ofdQueryLock(fd: number, mode: 'read' | 'write'): 'read' | 'write' | undefined {
  const struct = wholeFile(mode === 'write' ? F_WRLCK : F_RDLCK);
  checked(fcntl(fd, F_OFD_GETLK, struct), 'fcntl');
  const type = struct.readInt16LE(0);
  return type === F_UNLCK ? undefined : type === F_WRLCK ? 'write' : 'read';
}

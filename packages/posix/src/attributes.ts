/** Owner, mode and times. */

import { cStringAddress } from './address.ts';
import { AT_SYMLINK_NOFOLLOW } from './constants.ts';
import type { PathLike } from './files.ts';
import { cFunction } from './library.ts';
import { checked } from './posixError.ts';

/** Nanoseconds since 1970, negative before; an undefined time is left as it is. */
export interface FileTimes {
  readonly atimeNs?: bigint | undefined;
  readonly mtimeNs?: bigint | undefined;
}

const UTIME_OMIT = 0x3ffffffe;
const NS_PER_SECOND = 1_000_000_000n;
/** Where the times begin, in words. */
const ATIME = 0;
const MTIME = 4;
const MIN_SECONDS = -(2n ** 63n);
/** A constant, since V8 calls `pow` for the expression each time. */
const HIGH_WORD = 2 ** 32;

const c = {
  fchownat: cFunction<[number, number, number, number, number]>('fchownat', {
    parameters: ['int', 'uintptr_t', 'uint32_t', 'uint32_t', 'int'],
  }),
  fchown: cFunction<[number, number, number]>('fchown', { parameters: ['int', 'uint32_t', 'uint32_t'] }),
  fchmodat: cFunction<[number, number, number, number]>('fchmodat', {
    parameters: ['int', 'uintptr_t', 'uint32_t', 'int'],
  }),
  fchmod: cFunction<[number, number]>('fchmod', { parameters: ['int', 'uint32_t'] }),
  utimensat: cFunction<[number, number, Buffer, number]>('utimensat', {
    parameters: ['int', 'uintptr_t', 'void *', 'int'],
  }),
  futimens: cFunction<[number, Buffer]>('futimens', { parameters: ['int', 'void *'] }),
};

/** Two `struct timespec`, the access time first; the same memory in 32-bit words. */
const timespecs = Buffer.alloc(32);
const words = new Int32Array(timespecs.buffer, timespecs.byteOffset, 8);

/** Sets the owner; of a symlink itself by default. With `AT_EMPTY_PATH` and '' that of `dirfd`. */
export function fchownat(
  dirfd: number,
  path: PathLike,
  uid: number,
  gid: number,
  flags = AT_SYMLINK_NOFOLLOW,
): void {
  checked(c.fchownat(dirfd, cStringAddress(path, 'path'), uid, gid, flags), 'fchownat', path);
}

export function fchown(fd: number, uid: number, gid: number): void {
  checked(c.fchown(fd, uid, gid), 'fchown');
}

/** Sets the permission bits. `AT_SYMLINK_NOFOLLOW` on a symlink fails with EOPNOTSUPP. */
export function fchmodat(dirfd: number, path: PathLike, mode: number, flags = 0): void {
  checked(c.fchmodat(dirfd, cStringAddress(path, 'path'), mode, flags), 'fchmodat', path);
}

export function fchmod(fd: number, mode: number): void {
  checked(c.fchmod(fd, mode), 'fchmod');
}

/** Sets times with nanoseconds; of a symlink itself by default. */
export function utimensat(
  dirfd: number,
  path: PathLike,
  times: FileTimes,
  flags = AT_SYMLINK_NOFOLLOW,
): void {
  encodeTimes(times);
  checked(c.utimensat(dirfd, cStringAddress(path, 'path'), timespecs, flags), 'utimensat', path);
}

/** Sets the times of an open file (not of an O_PATH descriptor). */
export function futimens(fd: number, times: FileTimes): void {
  encodeTimes(times);
  checked(c.futimens(fd, timespecs), 'futimens');
}

function encodeTimes({ atimeNs, mtimeNs }: FileTimes): void {
  encodeTime(mtimeNs, MTIME, 'mtimeNs');
  if (atimeNs === mtimeNs) words.copyWithin(ATIME, MTIME);
  else encodeTime(atimeNs, ATIME, 'atimeNs');
}

function encodeTime(timeNs: bigint | undefined, word: number, name: string): void {
  if (timeNs === undefined) {
    putTimespec(word, 0, UTIME_OMIT);
    return;
  }
  // Exact: seconds of what fits 64 bits are far below 2^53.
  if (BigInt.asIntN(64, timeNs) !== timeNs) {
    encodeFarTime(timeNs, word, name);
    return;
  }
  const seconds = Number(timeNs / NS_PER_SECOND);
  const nanoseconds = Number(timeNs % NS_PER_SECOND);
  if (nanoseconds < 0) putTimespec(word, seconds - 1, nanoseconds + 1e9);
  else putTimespec(word, seconds, nanoseconds);
}

/** Numbers instead of BigInts: writing one of those to a Buffer takes as long as the system call. */
function putTimespec(word: number, seconds: number, nanoseconds: number): void {
  words[word] = seconds;
  words[word + 1] = Math.floor(seconds / HIGH_WORD);
  words[word + 2] = nanoseconds;
  words[word + 3] = 0;
}

function encodeFarTime(timeNs: bigint, word: number, name: string): void {
  const nanoseconds = ((timeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
  const seconds = (timeNs - nanoseconds) / NS_PER_SECOND;
  if (seconds < MIN_SECONDS || seconds >= -MIN_SECONDS) throw new RangeError(`${name} is out of range`);
  timespecs.writeBigInt64LE(seconds, word * 4);
  timespecs.writeBigInt64LE(nanoseconds, word * 4 + 8);
}

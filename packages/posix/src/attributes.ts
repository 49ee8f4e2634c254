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
const MIN_SECONDS = -(2n ** 63n);

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

const timespecs = Buffer.alloc(32);

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

function encodeTimes(times: FileTimes): void {
  encodeTime(times.atimeNs, 0, 'atimeNs');
  encodeTime(times.mtimeNs, 16, 'mtimeNs');
}

function encodeTime(timeNs: bigint | undefined, offset: number, name: string): void {
  if (timeNs === undefined) {
    timespecs.writeBigInt64LE(0n, offset);
    timespecs.writeBigInt64LE(BigInt(UTIME_OMIT), offset + 8);
    return;
  }
  let seconds = timeNs / NS_PER_SECOND;
  let nanoseconds = timeNs % NS_PER_SECOND;
  if (nanoseconds < 0n) {
    seconds -= 1n;
    nanoseconds += NS_PER_SECOND;
  }
  if (seconds < MIN_SECONDS || seconds >= -MIN_SECONDS) throw new RangeError(`${name} is out of range`);
  timespecs.writeBigInt64LE(seconds, offset);
  timespecs.writeBigInt64LE(nanoseconds, offset + 8);
}

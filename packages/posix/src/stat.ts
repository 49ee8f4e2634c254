import { cStringAddress } from './address.ts';
import { AT_SYMLINK_NOFOLLOW, S_IFMT, S_IFREG } from './constants.ts';
import { makedev } from './device.ts';
import type { PathLike } from './files.ts';
import { cFunction, lastErrno } from './library.ts';
import { checked, errnoNumber } from './posixError.ts';

/** Attributes of a file. Times are nanoseconds since 1970, negative before. */
export interface PosixStat {
  /** Type and permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly nlink: number;
  /** 64 bits: overlay file systems use the upper ones, where a number would make two files one. */
  readonly ino: bigint;
  /** Of the file system, as `makedev` gives it. */
  readonly dev: number;
  /** Of a device node, as `makedev` gives it. */
  readonly rdev: number;
  /** Units of 512 bytes. */
  readonly blocks: number;
  readonly mtimeNs: bigint;
  readonly atimeNs: bigint;
  readonly ctimeNs: bigint;
  /** Id of the mount, as in `MountInfo.mountId`; undefined before Linux 5.8. */
  readonly mntId: number | undefined;
}

const STATX_BASIC_STATS = 0x7ff;
const STATX_MNT_ID = 0x1000;
const STATX_SIZE = 256;
const ENOENT = errnoNumber('ENOENT');
const UINT32_VALUES = 2 ** 32;

const statx = cFunction<[number, number, number, number, Buffer]>('statx', {
  parameters: ['int', 'uintptr_t', 'int', 'uint32_t', 'void *'],
  syscall: { x64: 332, arm64: 291 },
});

const struct = Buffer.alloc(STATX_SIZE);

/**
 * Attributes of a file by statx(2), which alone has one layout on all machines. With
 * `AT_EMPTY_PATH` and an empty path those of `dirfd` itself.
 */
export function fstatat(dirfd: number, path: PathLike, flags = AT_SYMLINK_NOFOLLOW): PosixStat {
  checked(callStatx(dirfd, path, flags), 'statx', path);
  return decodeStat();
}

/** Like {@link fstatat}, but undefined when there is no such file (an exception costs 10 µs). */
export function fstatatIfExists(
  dirfd: number,
  path: PathLike,
  flags = AT_SYMLINK_NOFOLLOW,
): PosixStat | undefined {
  const result = callStatx(dirfd, path, flags);
  if (result < 0 && lastErrno() === ENOENT) return undefined;
  checked(result, 'statx', path);
  return decodeStat();
}

/**
 * Size in bytes of a regular file that `path` itself names, no symlink followed; undefined if it is something else, or nothing.
 * For one call a file {@link fstatatIfExists} takes long to spell all the rest.
 */
export function regularFileSize(dirfd: number, path: PathLike): number | undefined {
  const result = callStatx(dirfd, path, AT_SYMLINK_NOFOLLOW);
  if (result < 0 && lastErrno() === ENOENT) return undefined;
  checked(result, 'statx', path);
  return (struct.readUInt16LE(28) & S_IFMT) === S_IFREG ? readUInt64(40) : undefined;
}

function callStatx(dirfd: number, path: PathLike, flags: number): number {
  return statx(dirfd, cStringAddress(path, 'path'), flags, STATX_BASIC_STATS | STATX_MNT_ID, struct);
}

function decodeStat(): PosixStat {
  return {
    mode: struct.readUInt16LE(28),
    uid: struct.readUInt32LE(20),
    gid: struct.readUInt32LE(24),
    size: readUInt64(40),
    nlink: struct.readUInt32LE(16),
    ino: struct.readBigUInt64LE(32),
    dev: makedev(struct.readUInt32LE(136), struct.readUInt32LE(140)),
    rdev: makedev(struct.readUInt32LE(128), struct.readUInt32LE(132)),
    blocks: readUInt64(48),
    mtimeNs: readTime(112),
    atimeNs: readTime(64),
    ctimeNs: readTime(96),
    mntId: (struct.readUInt32LE(0) & STATX_MNT_ID) === 0 ? undefined : readUInt64(144),
  };
}

function readUInt64(offset: number): number {
  return struct.readUInt32LE(offset) + struct.readUInt32LE(offset + 4) * UINT32_VALUES;
}

function readTime(offset: number): bigint {
  return struct.readBigInt64LE(offset) * 1_000_000_000n + BigInt(struct.readUInt32LE(offset + 8));
}

export { type FileTimes, fchmod, fchmodat, fchown, fchownat, futimens, utimensat } from './attributes.ts';
export { type Capabilities, capabilities } from './capabilities.ts';
export {
  copyFileRange,
  type DedupeRequest,
  type DedupeResult,
  dedupeRange,
  ficlone,
} from './clone.ts';
export * from './constants.ts';
export { type Crc32, nativeCrc32 } from './crc32.ts';
export { major, makedev, minor } from './device.ts';
export {
  close,
  linkat,
  mkdirat,
  mknodat,
  type OpenHow,
  openat,
  openat2,
  type PathLike,
  readlinkat,
  renameat,
  renameat2,
  symlinkat,
  unlinkat,
  write,
} from './files.ts';
export {
  type GzipCompressor,
  type GzipCompressorOptions,
  gzipCompressors,
  type OpenGzipCompressor,
} from './gzipCompressor.ts';
export { type InflateStep, isalInflaters, type RawInflater } from './isalInflater.ts';
export { ofdQueryLock, ofdTryLock, ofdUnlock } from './locks.ts';
export {
  type FsSetting,
  fsconfig,
  fsmount,
  fsopen,
  type MountAttributes,
  type MoveMountRequest,
  mountSetattr,
  moveMount,
  openTree,
  readFsLog,
} from './mountApi.ts';
export { type MountInfo, parseMountInfo, readMountInfo } from './mountInfo.ts';
export { knownFileSystems, type MountRequest, maxMountDataBytes, mount, umount2 } from './mounts.ts';
export { errnoName, errnoNumber, isPosixError, PosixError, type PosixErrorOptions } from './posixError.ts';
export { chdir, openFileLimit, umask, unshare } from './process.ts';
export { sleepMicroseconds, withRealtimePriority } from './scheduling.ts';
export { fstatat, fstatatIfExists, type PosixStat, regularFileSize } from './stat.ts';
export {
  type FileRange,
  SYNC_FILE_RANGE_WAIT_AFTER,
  SYNC_FILE_RANGE_WAIT_BEFORE,
  SYNC_FILE_RANGE_WRITE,
  syncFileRange,
  syncFileRangeAsync,
  syncfs,
  syncfsAsync,
} from './sync.ts';
export {
  fgetxattr,
  flistxattr,
  fremovexattr,
  fsetxattr,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
} from './xattr.ts';
export { createZstdDecoder, type ZstdDecoder, zstdUnavailableReason, zstdVersion } from './zstd.ts';
export { createZstdEncoder, type ZstdEncoder } from './zstdEncoder.ts';

export { type FileTimes, fchmod, fchmodat, fchown, fchownat, futimens, utimensat } from './attributes.ts';
export * from './constants.ts';
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
} from './files.ts';
export { ofdQueryLock, ofdTryLock, ofdUnlock } from './locks.ts';
export { errnoName, errnoNumber, isPosixError, PosixError, type PosixErrorOptions } from './posixError.ts';
export { fstatat, fstatatIfExists, type PosixStat } from './stat.ts';
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

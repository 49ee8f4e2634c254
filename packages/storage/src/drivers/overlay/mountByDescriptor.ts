import { errnoCode } from '@sediment/core';
import {
  AT_FDCWD,
  close,
  fsconfig,
  fsmount,
  fsopen,
  MOUNT_ATTR_NOATIME,
  MOUNT_ATTR_NODEV,
  MOUNT_ATTR_NODIRATIME,
  MOUNT_ATTR_NOEXEC,
  MOUNT_ATTR_NOSUID,
  MOUNT_ATTR_RDONLY,
  MOUNT_ATTR_STRICTATIME,
  MS_DIRSYNC,
  MS_NOATIME,
  MS_NODEV,
  MS_NODIRATIME,
  MS_NOEXEC,
  MS_NOSUID,
  MS_RDONLY,
  MS_STRICTATIME,
  MS_SYNCHRONOUS,
  moveMount,
  O_CLOEXEC,
  O_DIRECTORY,
  O_PATH,
  openat,
  readFsLog,
} from '@sediment/posix';
import type { OverlayMount } from './mountOverlay.ts';
import { partMountOptions } from './mountWords.ts';

/** fsconfig(2) takes values of 255 bytes. */
const MAX_VALUE = 255;

const ATTRIBUTES = [
  [MS_RDONLY, MOUNT_ATTR_RDONLY],
  [MS_NOSUID, MOUNT_ATTR_NOSUID],
  [MS_NODEV, MOUNT_ATTR_NODEV],
  [MS_NOEXEC, MOUNT_ATTR_NOEXEC],
  [MS_NOATIME, MOUNT_ATTR_NOATIME],
  [MS_NODIRATIME, MOUNT_ATTR_NODIRATIME],
  [MS_STRICTATIME, MOUNT_ATTR_STRICTATIME],
] as const;
/** Flags of mount(2) that belong to the file system itself. */
const FILE_SYSTEM_FLAGS = [
  [MS_RDONLY, 'ro'],
  [MS_SYNCHRONOUS, 'sync'],
  [MS_DIRSYNC, 'dirsync'],
] as const;

/**
 * Mounts by fsopen(2): each lower directory is an option of its own, which has no limit but the kernel's
 * number of layers.
 *
 * @returns false when this kernel's overlay cannot be told so (before Linux 6.7)
 */
export function mountByDescriptor(request: OverlayMount): boolean {
  const { flags, rest } = partMountOptions(request.options);
  const fd = fsopen('overlay');
  try {
    const { lowers, upper } = request;
    if (!takesLower(fd, lowers[0] as string)) return false;
    for (const lower of lowers.slice(1)) setPath(fd, 'lowerdir+', lower);
    if (upper !== undefined) {
      setPath(fd, 'upperdir', upper.diff);
      setPath(fd, 'workdir', upper.work);
    }
    for (const word of rest) setWord(fd, word);
    for (const [flag, key] of FILE_SYSTEM_FLAGS)
      if ((flags & flag) !== 0) fsconfig(fd, { kind: 'flag', key });
    const { mountLabel } = request;
    if (mountLabel !== undefined && mountLabel !== '') {
      fsconfig(fd, { kind: 'string', key: 'context', value: mountLabel });
    }
    fsconfig(fd, { kind: 'string', key: 'source', value: 'overlay' });
    fsconfig(fd, { kind: 'create' });
    attach(fd, flags, request.target);
    return true;
  } catch (error) {
    throw withKernelLog(error, fd);
  } finally {
    close(fd);
  }
}

/** @returns false when the kernel does not know the option */
function takesLower(fd: number, lower: string): boolean {
  try {
    setPath(fd, 'lowerdir+', lower);
    return true;
  } catch (error) {
    if (errnoCode(error) === 'EINVAL') return false;
    throw error;
  }
}

/** A path that is too long is named by its descriptor. Others are kept as they are: mountinfo shows them. */
function setPath(fd: number, key: string, path: string): void {
  if (Buffer.byteLength(path) <= MAX_VALUE) {
    fsconfig(fd, { kind: 'string', key, value: path });
    return;
  }
  const directory = openat(AT_FDCWD, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  try {
    fsconfig(fd, { kind: 'string', key, value: `/proc/self/fd/${directory}` });
  } finally {
    close(directory);
  }
}

function setWord(fd: number, word: string): void {
  const equals = word.indexOf('=');
  if (equals < 0) fsconfig(fd, { kind: 'flag', key: word });
  else fsconfig(fd, { kind: 'string', key: word.slice(0, equals), value: word.slice(equals + 1) });
}

function attach(fd: number, flags: number, target: string): void {
  const attributes = ATTRIBUTES.reduce(
    (sum, [flag, attribute]) => ((flags & flag) === 0 ? sum : sum | attribute),
    0,
  );
  const detached = fsmount(fd, attributes);
  try {
    moveMount({ fromFd: detached, toPath: target });
  } finally {
    close(detached);
  }
}

/** The error with what the kernel says about it. */
function withKernelLog(error: unknown, fd: number): unknown {
  const log = readFsLog(fd).map((line) => line.replace(/^[ewi] /, ''));
  if (log.length > 0 && error instanceof Error) error.message += ` (${log.join('; ')})`;
  return error;
}

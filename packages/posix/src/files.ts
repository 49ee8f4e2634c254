/** Calls that make, open, link and remove names relative to a directory descriptor. */
import { addressOf, cStringAddress } from './address.ts';
import { cFunction, lastErrno } from './library.ts';
import { checked, errnoNumber, PosixError } from './posixError.ts';

/** A file name or path: text (UTF-8) or the bytes themselves. */
export type PathLike = string | Buffer;

/** How {@link openat2} resolves a path: `RESOLVE_*` flags and the flags of open(2). */
export interface OpenHow {
  readonly flags: number;
  readonly mode?: number;
  readonly resolve: number;
}

const PATH_MAX = 4096;
const OPENAT2 = 437;
const OPEN_HOW_SIZE = 24;
const EINTR = errnoNumber('EINTR');
const EIO = errnoNumber('EIO') as number;

const c = {
  openat: cFunction<[number, number, number, number]>('openat', {
    parameters: ['int', 'uintptr_t', 'int', 'uint32_t'],
  }),
  openat2: cFunction<[number, number, Buffer, number]>('openat2', {
    parameters: ['int', 'uintptr_t', 'void *', 'size_t'],
    syscall: OPENAT2,
    symbol: false,
  }),
  close: cFunction<[number]>('close', { parameters: ['int'] }),
  write: cFunction<[number, number, number]>('write', {
    parameters: ['int', 'uintptr_t', 'size_t'],
    result: 'intptr_t',
  }),
  mkdirat: cFunction<[number, number, number]>('mkdirat', { parameters: ['int', 'uintptr_t', 'uint32_t'] }),
  mknodat: cFunction<[number, number, number, number]>('mknodat', {
    parameters: ['int', 'uintptr_t', 'uint32_t', 'uint64_t'],
    syscall: { x64: 259, arm64: 33 },
  }),
  symlinkat: cFunction<[number, number, number]>('symlinkat', {
    parameters: ['uintptr_t', 'int', 'uintptr_t'],
  }),
  linkat: cFunction<[number, number, number, number, number]>('linkat', {
    parameters: ['int', 'uintptr_t', 'int', 'uintptr_t', 'int'],
  }),
  unlinkat: cFunction<[number, number, number]>('unlinkat', { parameters: ['int', 'uintptr_t', 'int'] }),
  renameat2: cFunction<[number, number, number, number, number]>('renameat2', {
    parameters: ['int', 'uintptr_t', 'int', 'uintptr_t', 'uint32_t'],
    syscall: { x64: 316, arm64: 276 },
  }),
  renameat: cFunction<[number, number, number, number]>('renameat', {
    parameters: ['int', 'uintptr_t', 'int', 'uintptr_t'],
  }),
  readlinkat: cFunction<[number, number, Buffer, number]>('readlinkat', {
    parameters: ['int', 'uintptr_t', 'void *', 'size_t'],
    result: 'intptr_t',
  }),
};

/**
 * Opens a file. The caller closes the descriptor with {@link close}; `fs.closeSync` works too, but
 * prints a warning in worker threads that track descriptors.
 */
export function openat(dirfd: number, path: PathLike, flags: number, mode = 0): number {
  return checked(c.openat(dirfd, cStringAddress(path, 'path'), flags, mode), 'openat', path);
}

/**
 * Opens a file with the kernel confining how the path is resolved (openat2(2)). Fails with ENOSYS, or
 * EPERM under some seccomp filters, where `capabilities().openat2` is false.
 */
export function openat2(dirfd: number, path: PathLike, how: OpenHow): number {
  const struct = Buffer.alloc(OPEN_HOW_SIZE);
  struct.writeUInt32LE(how.flags >>> 0, 0);
  struct.writeUInt32LE((how.mode ?? 0) >>> 0, 8);
  struct.writeUInt32LE(how.resolve >>> 0, 16);
  return checked(c.openat2(dirfd, cStringAddress(path, 'path'), struct, OPEN_HOW_SIZE), 'openat2', path);
}

/** Closes a descriptor. It is gone even if this throws (close(2), "Dealing with error returns"). */
export function close(fd: number): void {
  checked(c.close(fd), 'close');
}

/**
 * Writes all bytes at the descriptor's position; `fs.writeSync` takes half a microsecond more.
 *
 * @throws {PosixError} also EIO when the file takes no byte and the kernel says no reason: it would be tried forever
 */
export function write(fd: number, bytes: Uint8Array): void {
  const { length } = bytes;
  if (length === 0) return;
  const address = addressOf(bytes);
  for (let written = 0; written < length; ) {
    const count = c.write(fd, address + written, length - written);
    if (count < 0 && lastErrno() === EINTR) continue;
    if (count === 0) throw new PosixError({ errno: EIO, syscall: 'write' });
    written += checked(count, 'write');
  }
}

export function mkdirat(dirfd: number, path: PathLike, mode: number): void {
  checked(c.mkdirat(dirfd, cStringAddress(path, 'path'), mode), 'mkdirat', path);
}

/** Makes a node; `mode` holds its type (`S_IFCHR` …), `dev` comes from `makedev`. */
export function mknodat(dirfd: number, path: PathLike, mode: number, dev = 0): void {
  checked(c.mknodat(dirfd, cStringAddress(path, 'path'), mode, dev), 'mknodat', path);
}

export function symlinkat(target: PathLike, dirfd: number, path: PathLike): void {
  const result = c.symlinkat(cStringAddress(target, 'target'), dirfd, cStringAddress(path, 'path'));
  checked(result, 'symlinkat', target, path);
}

/** Makes a hard link; follows a symlink `oldPath` only with `AT_SYMLINK_FOLLOW`. */
export function linkat(
  oldDirfd: number,
  oldPath: PathLike,
  newDirfd: number,
  newPath: PathLike,
  flags = 0,
): void {
  const result = c.linkat(
    oldDirfd,
    cStringAddress(oldPath, 'oldPath'),
    newDirfd,
    cStringAddress(newPath, 'newPath'),
    flags,
  );
  checked(result, 'linkat', oldPath, newPath);
}

/** Removes a name; an empty directory with `AT_REMOVEDIR`. */
export function unlinkat(dirfd: number, path: PathLike, flags = 0): void {
  checked(c.unlinkat(dirfd, cStringAddress(path, 'path'), flags), 'unlinkat', path);
}

export function renameat(oldDirfd: number, oldPath: PathLike, newDirfd: number, newPath: PathLike): void {
  const result = c.renameat(
    oldDirfd,
    cStringAddress(oldPath, 'oldPath'),
    newDirfd,
    cStringAddress(newPath, 'newPath'),
  );
  checked(result, 'renameat', oldPath, newPath);
}

/** Renames with `RENAME_*` flags; EINVAL where the file system does not know them. */
export function renameat2(
  oldDirfd: number,
  oldPath: PathLike,
  newDirfd: number,
  newPath: PathLike,
  flags: number,
): void {
  const result = c.renameat2(
    oldDirfd,
    cStringAddress(oldPath, 'oldPath'),
    newDirfd,
    cStringAddress(newPath, 'newPath'),
    flags,
  );
  checked(result, 'renameat2', oldPath, newPath);
}

/** Target of a symlink as its bytes. An empty `path` reads the symlink that `dirfd` (O_PATH) refers to. */
export function readlinkat(dirfd: number, path: PathLike): Buffer {
  const target = Buffer.allocUnsafe(PATH_MAX);
  const length = checked(
    c.readlinkat(dirfd, cStringAddress(path, 'path'), target, PATH_MAX),
    'readlinkat',
    path,
  );
  return Buffer.from(target.subarray(0, length));
}

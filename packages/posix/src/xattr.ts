/** Extended attributes as bytes. The `l…` calls work on a symlink itself, the `f…` calls on a descriptor. */
import { cStringAddress } from './address.ts';
import type { PathLike } from './files.ts';
import { cFunction, lastErrno } from './library.ts';
import { checked, errnoNumber, PosixError } from './posixError.ts';

/** The kernel's limits for one value and for the list of names (linux/limits.h). */
const XATTR_MAX = 65536;
const ENODATA = errnoNumber('ENODATA');

const get = ['void *', 'size_t'];
const c = {
  lgetxattr: cFunction<[number, number, Buffer, number]>('lgetxattr', {
    parameters: ['uintptr_t', 'uintptr_t', ...get],
    result: 'intptr_t',
  }),
  fgetxattr: cFunction<[number, number, Buffer, number]>('fgetxattr', {
    parameters: ['int', 'uintptr_t', ...get],
    result: 'intptr_t',
  }),
  llistxattr: cFunction<[number, Buffer, number]>('llistxattr', {
    parameters: ['uintptr_t', ...get],
    result: 'intptr_t',
  }),
  flistxattr: cFunction<[number, Buffer, number]>('flistxattr', {
    parameters: ['int', ...get],
    result: 'intptr_t',
  }),
  lsetxattr: cFunction<[number, number, Uint8Array, number, number]>('lsetxattr', {
    parameters: ['uintptr_t', 'uintptr_t', 'void *', 'size_t', 'int'],
  }),
  fsetxattr: cFunction<[number, number, Uint8Array, number, number]>('fsetxattr', {
    parameters: ['int', 'uintptr_t', 'void *', 'size_t', 'int'],
  }),
  lremovexattr: cFunction<[number, number]>('lremovexattr', { parameters: ['uintptr_t', 'uintptr_t'] }),
  fremovexattr: cFunction<[number, number]>('fremovexattr', { parameters: ['int', 'uintptr_t'] }),
};

let scratch: Buffer | undefined;

function scratchBuffer(): Buffer {
  scratch ??= Buffer.allocUnsafeSlow(XATTR_MAX);
  return scratch;
}

/** Value of an attribute; undefined when the file does not have it. */
export function lgetxattr(path: PathLike, name: PathLike): Buffer | undefined {
  const value = scratchBuffer();
  return takeValue(
    c.lgetxattr(cStringAddress(path, 'path'), cStringAddress(name, 'name'), value, XATTR_MAX),
    'lgetxattr',
    path,
  );
}

/** Like {@link lgetxattr} for an open file (not an O_PATH descriptor). */
export function fgetxattr(fd: number, name: PathLike): Buffer | undefined {
  const value = scratchBuffer();
  return takeValue(c.fgetxattr(fd, cStringAddress(name, 'name'), value, XATTR_MAX), 'fgetxattr');
}

/** Sets an attribute; `flags` may be `XATTR_CREATE` or `XATTR_REPLACE`. */
export function lsetxattr(path: PathLike, name: PathLike, value: Uint8Array, flags = 0): void {
  const result = c.lsetxattr(
    cStringAddress(path, 'path'),
    cStringAddress(name, 'name'),
    value,
    value.length,
    flags,
  );
  checked(result, 'lsetxattr', path);
}

/** Like {@link lsetxattr} for an open file. */
export function fsetxattr(fd: number, name: PathLike, value: Uint8Array, flags = 0): void {
  checked(c.fsetxattr(fd, cStringAddress(name, 'name'), value, value.length, flags), 'fsetxattr');
}

/** Names of all attributes that this process may see, in the file system's order. */
export function llistxattr(path: PathLike): Buffer[] {
  const names = scratchBuffer();
  return splitNames(
    checked(c.llistxattr(cStringAddress(path, 'path'), names, XATTR_MAX), 'llistxattr', path),
  );
}

/** Like {@link llistxattr} for an open file. */
export function flistxattr(fd: number): Buffer[] {
  const names = scratchBuffer();
  return splitNames(checked(c.flistxattr(fd, names, XATTR_MAX), 'flistxattr'));
}

/** Removes an attribute; ENODATA when the file does not have it. */
export function lremovexattr(path: PathLike, name: PathLike): void {
  checked(c.lremovexattr(cStringAddress(path, 'path'), cStringAddress(name, 'name')), 'lremovexattr', path);
}

/** Like {@link lremovexattr} for an open file. */
export function fremovexattr(fd: number, name: PathLike): void {
  checked(c.fremovexattr(fd, cStringAddress(name, 'name')), 'fremovexattr');
}

function takeValue(length: number, syscall: string, path?: PathLike): Buffer | undefined {
  if (length >= 0) return Buffer.from(scratchBuffer().subarray(0, length));
  const errno = lastErrno();
  if (errno === ENODATA) return undefined;
  throw new PosixError({ errno, syscall, path });
}

function splitNames(length: number): Buffer[] {
  const names: Buffer[] = [];
  const list = scratchBuffer();
  for (let start = 0; start < length; ) {
    const end = list.indexOf(0, start);
    names.push(Buffer.from(list.subarray(start, end)));
    start = end + 1;
  }
  return names;
}

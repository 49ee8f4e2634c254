/**
 * The file-descriptor based mount calls (Linux 5.2; mount_setattr 5.12): options of any length, one by
 * one, with the kernel's own words about what it refuses. Each call needs CAP_SYS_ADMIN in the mount
 * namespace's user namespace. Every descriptor is O_CLOEXEC and closed by the caller.
 */
import { readSync } from 'node:fs';
import { AT_EMPTY_PATH, AT_FDCWD } from './constants.ts';
import { cString } from './cString.ts';
import type { PathLike } from './files.ts';
import { type Binding, cFunction } from './library.ts';
import { checked } from './posixError.ts';

/** One setting of a file system that is being configured. */
export type FsSetting =
  | { readonly kind: 'flag'; readonly key: string }
  | { readonly kind: 'string'; readonly key: string; readonly value: PathLike }
  | { readonly kind: 'fd'; readonly key: string; readonly fd: number }
  /** Makes the superblock from what was set. */
  | { readonly kind: 'create' }
  | { readonly kind: 'reconfigure' };

/** Where a detached mount comes from and goes to. Paths default to the descriptors themselves. */
export interface MoveMountRequest {
  readonly fromFd: number;
  readonly fromPath?: PathLike;
  readonly toFd?: number;
  readonly toPath: PathLike;
}

/** Changes of mount attributes (`MOUNT_ATTR_*`); `userNsFd` goes with `MOUNT_ATTR_IDMAP`. */
export interface MountAttributes {
  readonly set?: number;
  readonly clear?: number;
  readonly propagation?: number;
  readonly userNsFd?: number;
}

type CPath = string | Buffer;

const FSOPEN_CLOEXEC = 1;
const FSMOUNT_CLOEXEC = 1;
const OPEN_TREE_CLOEXEC = 0o2000000;
const MOVE_MOUNT_F_EMPTY_PATH = 0x4;
const MOUNT_ATTR_SIZE = 32;
const FSCONFIG = { flag: 0, string: 1, fd: 5, create: 6, reconfigure: 7 } as const;
const LOG_LINE_MAX = 8192;

/** glibc wraps these from 2.36 only; the numbers are the same on all architectures. */
function byNumber(syscall: number, ...parameters: string[]): Binding {
  return { parameters, syscall, symbol: false };
}

const c = {
  openTree: cFunction<[number, CPath, number]>('open_tree', byNumber(428, 'int', 'char *', 'uint32_t')),
  moveMount: cFunction<[number, CPath, number, CPath, number]>(
    'move_mount',
    byNumber(429, 'int', 'char *', 'int', 'char *', 'uint32_t'),
  ),
  fsopen: cFunction<[CPath, number]>('fsopen', byNumber(430, 'char *', 'uint32_t')),
  fsconfig: cFunction<[number, number, CPath | null, CPath | null, number]>(
    'fsconfig',
    byNumber(431, 'int', 'uint32_t', 'char *', 'char *', 'int'),
  ),
  fsmount: cFunction<[number, number, number]>('fsmount', byNumber(432, 'int', 'uint32_t', 'uint32_t')),
  mountSetattr: cFunction<[number, CPath, number, Buffer, number]>(
    'mount_setattr',
    byNumber(442, 'int', 'char *', 'uint32_t', 'void *', 'size_t'),
  ),
};

/** Begins a file system of a type; the caller closes the descriptor. ENODEV for an unknown type. */
export function fsopen(fstype: string): number {
  return checked(c.fsopen(cString(fstype, 'fstype'), FSOPEN_CLOEXEC), 'fsopen', fstype);
}

/** Sets one thing. After a failure {@link readFsLog} may tell more than the error number. */
export function fsconfig(fd: number, setting: FsSetting): void {
  const key = 'key' in setting ? setting.key : undefined;
  const value = setting.kind === 'string' ? setting.value : undefined;
  const result = c.fsconfig(
    fd,
    FSCONFIG[setting.kind],
    key === undefined ? null : cString(key, 'key'),
    value === undefined ? null : cString(value, 'value'),
    setting.kind === 'fd' ? setting.fd : 0,
  );
  checked(result, 'fsconfig', key, value);
}

/** A detached mount of a created file system; `attributes` are `MOUNT_ATTR_*`. */
export function fsmount(fd: number, attributes = 0): number {
  return checked(c.fsmount(fd, FSMOUNT_CLOEXEC, attributes), 'fsmount');
}

/** Attaches a detached mount, or moves an attached one. */
export function moveMount(request: MoveMountRequest): void {
  const { fromFd, fromPath = '', toFd = AT_FDCWD, toPath } = request;
  const flags = fromPath.length === 0 ? MOVE_MOUNT_F_EMPTY_PATH : 0;
  const from = cString(fromPath, 'fromPath');
  const result = c.moveMount(fromFd, from, toFd, cString(toPath, 'toPath'), flags);
  checked(result, 'move_mount', fromPath, toPath);
}

/** A descriptor for a mount; with `OPEN_TREE_CLONE` (and `AT_RECURSIVE`) for a detached copy of it. */
export function openTree(dirfd: number, path: PathLike, flags = 0): number {
  const result = c.openTree(dirfd, cString(path, 'path'), flags | OPEN_TREE_CLOEXEC);
  return checked(result, 'open_tree', path);
}

/** Changes the attributes of the mount `fd` (of the whole tree with `AT_RECURSIVE`). */
export function mountSetattr(fd: number, attributes: MountAttributes, flags = 0): void {
  const struct = Buffer.alloc(MOUNT_ATTR_SIZE);
  struct.writeUInt32LE(attributes.set ?? 0, 0);
  struct.writeUInt32LE(attributes.clear ?? 0, 8);
  struct.writeUInt32LE(attributes.propagation ?? 0, 16);
  struct.writeUInt32LE(attributes.userNsFd ?? 0, 24);
  checked(c.mountSetattr(fd, '', flags | AT_EMPTY_PATH, struct, MOUNT_ATTR_SIZE), 'mount_setattr');
}

/** The messages the kernel left on an {@link fsopen} descriptor, oldest first; reading removes them. */
export function readFsLog(fd: number): string[] {
  const lines: string[] = [];
  const line = Buffer.alloc(LOG_LINE_MAX);
  for (;;) {
    let length: number;
    try {
      length = readSync(fd, line);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENODATA') return lines;
      throw error;
    }
    lines.push(line.toString('utf8', 0, length).trimEnd());
  }
}

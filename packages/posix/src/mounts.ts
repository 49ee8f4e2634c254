/** Classic mount(2) and umount2(2). */
import { readFileSync } from 'node:fs';
import { cString } from './cString.ts';
import type { PathLike } from './files.ts';
import { cFunction } from './library.ts';
import { checked } from './posixError.ts';

/** What to mount where. `data` are the file system's own options, joined by commas. */
export interface MountRequest {
  readonly source: PathLike;
  readonly target: PathLike;
  readonly fstype?: string | undefined;
  /** `MS_*` flags. */
  readonly flags?: number;
  readonly data?: PathLike | undefined;
}

type CPath = string | Buffer;

const c = {
  mount: cFunction<[CPath, CPath, CPath | null, number, CPath | null]>('mount', {
    parameters: ['char *', 'char *', 'char *', 'unsigned long', 'char *'],
  }),
  umount2: cFunction<[CPath, number]>('umount2', { parameters: ['char *', 'int'] }),
  getpagesize: cFunction<[]>('getpagesize', { parameters: [] }),
};

/** Most bytes that mount(2) takes as `data`: one page with its final NUL. */
export function maxMountDataBytes(): number {
  return c.getpagesize() - 1;
}

/**
 * Mounts a file system, binds a directory (`MS_BIND`) or changes a mount (`MS_REMOUNT`, `MS_PRIVATE` …).
 *
 * @throws {RangeError} when `data` is longer than {@link maxMountDataBytes}: the kernel would cut it
 *   off without a word
 */
export function mount(request: MountRequest): void {
  const { source, target, fstype, flags = 0, data } = request;
  const options = data === undefined ? null : cString(data, 'data');
  if (data !== undefined && Buffer.byteLength(data) > maxMountDataBytes()) {
    throw new RangeError(`data must not be longer than ${maxMountDataBytes()} bytes`);
  }
  const result = c.mount(
    cString(source, 'source'),
    cString(target, 'target'),
    fstype === undefined ? null : cString(fstype, 'fstype'),
    flags,
    options,
  );
  checked(result, 'mount', source, target);
}

/** Unmounts what is mounted on `target`; `MNT_DETACH` at once, `UMOUNT_NOFOLLOW` no symlink. */
export function umount2(target: PathLike, flags = 0): void {
  checked(c.umount2(cString(target, 'target'), flags), 'umount2', target);
}

/** Names of the file systems that the kernel knows now (modules that are not loaded are not listed). */
export function knownFileSystems(path = '/proc/filesystems'): string[] {
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.map((line) => line.slice(line.indexOf('\t') + 1)).filter((name) => name !== '');
}

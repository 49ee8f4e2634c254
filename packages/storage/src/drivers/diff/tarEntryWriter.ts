import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { encodeTarHeader, type NewTarEntry, TAR_TYPE, tarPadding } from '@sediment/codec';
import { errnoCode, isStorageError, StorageError, type WarningHandler } from '@sediment/core';
import {
  AT_FDCWD,
  major,
  minor,
  type PosixStat,
  readlinkat,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '@sediment/posix';
import type { IdMappings, Owner } from '../../idmaps/idMappings.ts';
import { archivedXattrs } from './entryXattrs.ts';
import type { TreeEntry } from './walkTree.ts';

const BLOCK_BYTES = 1024 * 1024;
const MODE_BITS = 0o7777;
const SLASH = Buffer.from('/');
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface TarEntryWriterOptions {
  /** Owners are written as they are inside of these maps. */
  readonly maps: IdMappings;
  /** Told of files that are left out. */
  readonly onWarning: WarningHandler;
}

/**
 * Writes files of a tree as entries of a layer archive: later names of one file as hard links to its first
 * one, times in whole seconds, sockets not at all. Facts: containers/storage, `pkg/archive`.
 */
export class TarEntryWriter {
  readonly #options: TarEntryWriterOptions;
  /** First name of each file that has several, by device and inode. */
  readonly #firstNames = new Map<string, Buffer>();
  #block: Buffer | undefined;

  constructor(options: TarEntryWriterOptions) {
    this.#options = options;
  }

  /** The bytes of one entry; a chunk is valid until the next one is asked for. */
  *write(entry: TreeEntry): Generator<Uint8Array, void, undefined> {
    const fd = this.#skipping(entry, () => openContent(entry));
    if (fd === 'skipped') return;
    try {
      // The size that counts is the one that the open file has.
      const size = fd === undefined ? 0 : fstatSync(fd).size;
      const header = this.#skipping(entry, () => this.#header(entry, size));
      if (header === 'skipped') return;
      yield encodeTarHeader(header);
      if (fd !== undefined && header.typeflag === TAR_TYPE.regular) yield* this.#content(fd, size, entry);
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /**
   * Owner of a file as the archive shows it.
   *
   * @throws {StorageError} `ID_UNMAPPED` for one that the maps do not have
   */
  ownerOf({ uid, gid }: PosixStat): Owner {
    return this.#options.maps.toContainer({ uid, gid });
  }

  /** The same for a mark of deletion, whose owner means nothing. */
  whiteoutOwner({ uid, gid }: PosixStat): Owner {
    return this.#options.maps.findContainer({ uid, gid }) ?? { uid: 0, gid: 0 };
  }

  #header({ name, path, stat }: TreeEntry, size: number): NewTarEntry {
    const type = stat.mode & S_IFMT;
    const common = {
      name: type === S_IFDIR ? Buffer.concat([name, SLASH]) : name,
      mode: stat.mode & MODE_BITS,
      ...this.ownerOf(stat),
      mtime: wholeSeconds(stat.mtimeNs),
      xattrs: archivedXattrs(path),
    };
    const first = type === S_IFDIR ? undefined : this.#firstName(stat, name);
    if (first !== undefined) return { ...common, typeflag: TAR_TYPE.hardlink, linkname: first };
    if (type === S_IFLNK) {
      return { ...common, typeflag: TAR_TYPE.symlink, linkname: readlinkat(AT_FDCWD, path) };
    }
    return { ...common, ...deviceOf(stat), typeflag: typeflagOf(type), size };
  }

  #firstName(stat: PosixStat, name: Buffer): Buffer | undefined {
    if (stat.nlink <= 1) return undefined;
    const key = `${stat.dev}:${stat.ino}`;
    const first = this.#firstNames.get(key);
    if (first === undefined) this.#firstNames.set(key, name);
    return first;
  }

  *#content(fd: number, size: number, { name }: TreeEntry): Generator<Uint8Array, void, undefined> {
    this.#block ??= Buffer.allocUnsafeSlow(BLOCK_BYTES);
    for (let done = 0; done < size; ) {
      const length = readSync(fd, this.#block, 0, Math.min(BLOCK_BYTES, size - done), null);
      if (length === 0) throw shrunk(name, size, done);
      done += length;
      yield this.#block.subarray(0, length);
    }
    const padding = tarPadding(size);
    if (padding.length > 0) yield padding;
  }

  /** A container may be running: what goes away under our hands, or has no place in a tar, is left out. */
  #skipping<T>({ name, stat }: TreeEntry, fn: () => T): T | 'skipped' {
    try {
      if (![S_IFREG, S_IFDIR, S_IFLNK, S_IFIFO, S_IFCHR, S_IFBLK].includes(stat.mode & S_IFMT)) {
        throw new StorageError('TAR_ENTRY_UNSUPPORTED', 'it is a socket');
      }
      return fn();
    } catch (error) {
      if (!isStorageError(error, 'TAR_ENTRY_UNSUPPORTED') && errnoCode(error) !== 'ENOENT') throw error;
      const path = name.toString();
      const message = `${JSON.stringify(path)} is left out of the diff: ${(error as Error).message}`;
      this.#options.onWarning({ code: 'ENTRY_SKIPPED', message, path });
      return 'skipped';
    }
  }
}

/** Time in whole seconds, as the header has it. */
export function wholeSeconds(timeNs: bigint): number {
  const seconds = timeNs / 1_000_000_000n;
  return Number(timeNs < 0n && seconds * 1_000_000_000n !== timeNs ? seconds - 1n : seconds);
}

function openContent({ path, stat }: TreeEntry): number | undefined {
  return (stat.mode & S_IFMT) === S_IFREG ? openSync(path, READ) : undefined;
}

function typeflagOf(type: number): number {
  if (type === S_IFDIR) return TAR_TYPE.directory;
  if (type === S_IFIFO) return TAR_TYPE.fifo;
  if (type === S_IFCHR) return TAR_TYPE.charDevice;
  return type === S_IFBLK ? TAR_TYPE.blockDevice : TAR_TYPE.regular;
}

function deviceOf({ mode, rdev }: PosixStat): Pick<NewTarEntry, 'devmajor' | 'devminor'> {
  const type = mode & S_IFMT;
  return type === S_IFCHR || type === S_IFBLK ? { devmajor: major(rdev), devminor: minor(rdev) } : {};
}

function shrunk(name: Buffer, expected: number, actual: number): StorageError {
  const path = name.toString();
  return new StorageError(
    'IO',
    `${JSON.stringify(path)} became shorter while it was read for a diff: ${actual} instead of ${expected} bytes`,
    { path, expected, actual, hint: 'stop the container that writes to it, and try again' },
  );
}

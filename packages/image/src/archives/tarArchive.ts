import { posix } from 'node:path';
import { StorageError } from '@sediment/core';
import type { BlobRange } from '@sediment/storage';
import { type ArchiveFile, type OpenArchiveOptions, openArchiveFile } from './openArchiveFile.ts';
import { scanTar } from './scanTar.ts';
import type { Occurrence, TarEntry, TarIndex } from './tarIndex.ts';

/** An opened outer archive: its bytes, and where its entries are. */
export interface TarArchive {
  readonly location: string;
  readonly index: TarIndex;
  /**
   * The bytes of a regular file; undefined if there is none of that path. A symbolic link is followed
   * once, from its own directory, as `docker save` of older releases needs it.
   *
   * @throws {StorageError} `ARCHIVE_INVALID` when the entry is there, but has no bytes of its own
   */
  range(path: string, which: Occurrence): BlobRange | undefined;
  close(): Promise<void>;
}

/**
 * Opens and scans an archive. The caller closes it.
 *
 * @throws {StorageError} as {@link openArchiveFile} and {@link scanTar}
 */
export async function openTarArchive(
  location: string,
  options: OpenArchiveOptions = {},
): Promise<TarArchive> {
  const archive = await openArchiveFile(location, options);
  try {
    const index = await scanTar({
      ...archive,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
    return {
      location,
      index,
      range: (path, which) => rangeOf(archive, index, path, which),
      close: closeOnce(archive),
    };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

function closeOnce(archive: ArchiveFile): () => Promise<void> {
  let closing: Promise<void> | undefined;
  return () => {
    closing ??= archive.close();
    return closing;
  };
}

function rangeOf(
  archive: ArchiveFile,
  index: TarIndex,
  path: string,
  which: Occurrence,
): BlobRange | undefined {
  const entry = index.find(path, which);
  if (entry === undefined) return undefined;
  if (entry.type === 'file') return toRange(archive, entry);
  if (entry.type !== 'symlink') throw withoutBytes(archive, entry);
  const target = posix.join(posix.dirname(entry.path), entry.linkpath);
  const followed = index.find(target, which);
  if (followed?.type === 'file') return toRange(archive, followed);
  const why = followed === undefined ? 'which is not in the archive' : 'which is no regular file';
  throw new StorageError(
    'ARCHIVE_INVALID',
    `${archive.location}: ${JSON.stringify(entry.path)} is a symbolic link to ${JSON.stringify(target)}, ${why}`,
    {
      path: archive.location,
      object: entry.path,
      hint: 'links are followed once only: pack the archive without them',
    },
  );
}

function toRange({ path }: ArchiveFile, { offset, size }: TarEntry): BlobRange {
  return { path, offset, length: size };
}

function withoutBytes({ location }: ArchiveFile, { path, type }: TarEntry): StorageError {
  const kinds = { hardlink: 'a hard link', directory: 'a directory', other: 'a special file' } as const;
  const kind = kinds[type as keyof typeof kinds];
  return new StorageError(
    'ARCHIVE_INVALID',
    `${location}: ${JSON.stringify(path)} is ${kind}, not a regular file`,
    {
      path: location,
      object: path,
      hint:
        type === 'hardlink'
          ? 'pack the archive again with the option --hard-dereference of tar'
          : 'make the archive anew',
    },
  );
}

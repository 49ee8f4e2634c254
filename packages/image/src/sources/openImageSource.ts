import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { errnoCode, type Platform, StorageError, wrapSystemError } from '@sediment/core';
import { type OpenArchiveOptions, sourceNotFound } from '../archives/openArchiveFile.ts';
import { STDIN } from '../archives/pipeStream.ts';
import { openTarArchive, type TarArchive } from '../archives/tarArchive.ts';
import { formatImageReference } from '../references/imageReference.ts';
import { findReferencedImage } from '../references/resolveStoreReference.ts';
import { parseSourceReference, type SourceReference } from '../references/sourceReference.ts';
import type { StoreReference } from '../references/storeReference.ts';
import { archiveLayout } from './archiveLayout.ts';
import { directoryLayout } from './directoryLayout.ts';
import type { ImageSource } from './imageSource.ts';
import { openDir } from './openDir.ts';
import { openDockerArchive } from './openDockerArchive.ts';
import { openLayout } from './openLayout.ts';
import { recognizeArchive, recognizeDirectory } from './recognizeSource.ts';
import { openStoreSource } from './store/openStoreSource.ts';
import type { SourceStore } from './store/sourceStore.ts';

/** `spoolDirectory` is where a compressed archive is unpacked to; see `openArchiveFile`. */
export interface OpenSourceOptions extends OpenArchiveOptions {
  /** Where an image of `containers-storage` is looked for; stays open when the source is closed. */
  readonly store?: SourceStore;
  /** Which image of such a store is meant by the digest of a list that several were chosen from. */
  readonly platform?: Platform;
}

/**
 * Opens an archive, a layout, an image directory, or an image of a store. Without a transport the form is found
 * by content, tried in podman's order: OCI layout, oci-archive, docker-archive, dir. The path `-` is standard
 * input. The caller closes the result.
 *
 * @throws {StorageError} `SOURCE_NOT_FOUND`, `SOURCE_UNRECOGNIZED`, `ARCHIVE_INVALID`, `TAR_TRUNCATED`,
 *   `COMPRESSION_INVALID`, `MANIFEST_INVALID`, `DOCUMENT_TOO_LARGE`, `DIGEST_INVALID`, `NOT_SUPPORTED`,
 *   `IMAGE_UNKNOWN`, `ABORTED`, those of {@link resolveSourceReference}, and system errors
 */
export async function openImageSource(
  source: string | SourceReference,
  options: OpenSourceOptions = {},
): Promise<ImageSource> {
  const reference = typeof source === 'string' ? resolveSourceReference(source) : source;
  if (reference.transport === 'containers-storage') return await openReferenced(reference, options);
  const { transport, path } = reference;
  const isInDirectory = transport === 'oci' || transport === 'dir';
  if (isInDirectory) await checkDirectory(path, transport);
  const isPath = transport === undefined && path !== '-';
  if (isInDirectory || (isPath && (await isDirectory(path)))) {
    const form = isInDirectory ? transport : recognizeDirectory(path);
    return await (form === 'dir' ? openDir(path) : openLayoutDirectory(path));
  }
  return await openArchive(path, options, (archive) => transport ?? recognizeArchive(archive));
}

/**
 * As `parseSourceReference`, but a text that names an existing file is that file, whatever colons it
 * has, unless it begins with a transport.
 *
 * @throws {StorageError} `REFERENCE_INVALID`, `TRANSPORT_UNKNOWN`, `TRANSPORT_UNSUPPORTED`
 */
export function resolveSourceReference(text: string): SourceReference {
  try {
    return parseSourceReference(text);
  } catch (error) {
    const unknown = error instanceof StorageError && error.code === 'TRANSPORT_UNKNOWN';
    if (unknown && existsSync(text)) return { path: text };
    throw error;
  }
}

async function openLayoutDirectory(path: string): Promise<ImageSource> {
  return await openLayout(directoryLayout(path), basename(resolve(path)) || undefined);
}

async function openReferenced(reference: StoreReference, options: OpenSourceOptions): Promise<ImageSource> {
  const { store, platform } = options;
  if (store === undefined) {
    throw new TypeError(
      `option "store" is missing, in which ${formatImageReference(reference)} is looked for`,
    );
  }
  const image = await findReferencedImage(store, reference, platform);
  const { digest } = reference;
  return openStoreSource(store, { images: [image], ...(digest === undefined ? {} : { digest }) });
}

async function openArchive(
  path: string,
  options: OpenSourceOptions,
  formOf: (archive: TarArchive) => 'oci-archive' | 'docker-archive',
): Promise<ImageSource> {
  const archive = await openTarArchive(path === '-' ? STDIN : path, options);
  try {
    const form = formOf(archive);
    return await (form === 'oci-archive' ? openLayout(archiveLayout(archive)) : openDockerArchive(archive));
  } catch (error) {
    await archive.close();
    throw error;
  }
}

async function checkDirectory(path: string, transport: 'oci' | 'dir'): Promise<void> {
  if (await isDirectory(path)) return;
  const form = transport === 'oci' ? 'OCI layout' : 'image directory';
  throw new StorageError('SOURCE_UNRECOGNIZED', `${path} is no ${form}: it is not a directory`, {
    path,
    hint: `if it is an archive, write oci-archive:${path} or docker-archive:${path}`,
  });
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    const errno = errnoCode(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') throw sourceNotFound(path, error);
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
}

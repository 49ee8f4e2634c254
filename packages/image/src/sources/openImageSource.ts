import { existsSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { errnoCode, StorageError, wrapSystemError } from '@sediment/core';
import { type OpenArchiveOptions, sourceNotFound } from '../archives/openArchiveFile.ts';
import { openTarArchive, type TarArchive } from '../archives/tarArchive.ts';
import { formatImageReference } from '../references/imageReference.ts';
import { parseSourceReference, type SourceReference } from '../references/sourceReference.ts';
import { archiveLayout } from './archiveLayout.ts';
import { directoryLayout } from './directoryLayout.ts';
import type { ImageSource } from './imageSource.ts';
import { openDockerArchive } from './openDockerArchive.ts';
import { openLayout } from './openLayout.ts';
import { recognizeArchive, recognizeDirectory } from './recognizeSource.ts';

/** `spoolDirectory` is where a compressed archive is unpacked to; see `openArchiveFile`. */
export type OpenSourceOptions = OpenArchiveOptions;

/**
 * Opens an archive or a layout. Without a transport the form is found by content, tried in podman's
 * order: OCI layout, oci-archive, docker-archive. The caller closes the result.
 *
 * @throws {StorageError} `SOURCE_NOT_FOUND`, `SOURCE_UNRECOGNIZED`, `ARCHIVE_INVALID`, `TAR_TRUNCATED`,
 *   `COMPRESSION_INVALID`, `MANIFEST_INVALID`, `DOCUMENT_TOO_LARGE`, `DIGEST_INVALID`, `ABORTED`, those
 *   of {@link resolveSourceReference}, and system errors
 */
export async function openImageSource(
  source: string | SourceReference,
  options: OpenSourceOptions = {},
): Promise<ImageSource> {
  const reference = typeof source === 'string' ? resolveSourceReference(source) : source;
  const { transport } = reference;
  if (transport === 'dir' || transport === 'containers-storage') {
    throw new StorageError(
      'TRANSPORT_UNSUPPORTED',
      `the transport ${transport} is not supported as a source`,
      {
        object: formatImageReference(reference),
        hint: 'copy the image to an oci-archive with skopeo and import that file',
      },
    );
  }
  const { path } = reference;
  if (transport === 'oci') {
    await checkDirectory(path);
    return await openLayoutDirectory(path);
  }
  if (transport === undefined && (await isDirectory(path))) {
    recognizeDirectory(path);
    return await openLayoutDirectory(path);
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

async function openArchive(
  path: string,
  options: OpenSourceOptions,
  formOf: (archive: TarArchive) => 'oci-archive' | 'docker-archive',
): Promise<ImageSource> {
  const archive = await openTarArchive(path, options);
  try {
    const form = formOf(archive);
    return await (form === 'oci-archive' ? openLayout(archiveLayout(archive)) : openDockerArchive(archive));
  } catch (error) {
    await archive.close();
    throw error;
  }
}

async function checkDirectory(path: string): Promise<void> {
  if (await isDirectory(path)) return;
  throw new StorageError('SOURCE_UNRECOGNIZED', `${path} is no OCI layout: it is not a directory`, {
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

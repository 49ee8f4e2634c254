import { StorageError } from '@sediment/core';

/** Largest manifest, index or config that is read into memory, in bytes; as in containers/image. */
export const DOCUMENT_LIMIT = 4 * 1024 * 1024;
/** Largest `manifest.json` of a docker-archive, in bytes. */
export const DOCKER_INDEX_LIMIT = 1024 * 1024;
/** Largest simple signature, in bytes; as in containers/image. */
export const SIGNATURE_LIMIT = 4 * 1024 * 1024;

/** @throws {StorageError} `DOCUMENT_TOO_LARGE` */
export function checkDocumentSize(
  sizeBytes: number,
  limit: number,
  { what, path }: { what: string; path: string },
): void {
  if (sizeBytes <= limit) return;
  throw new StorageError('DOCUMENT_TOO_LARGE', `${what}: exceeded maximum allowed size of ${limit} bytes`, {
    object: what,
    path,
    expected: limit,
    actual: sizeBytes,
    hint: 'no image tool writes such a document: the source is damaged or hostile',
  });
}

import { type Digest, digestOf, isStorageError, StorageError } from '@sediment/core';
import type { ImageInfo } from '@sediment/storage';
import { checkDocumentSize, DOCUMENT_LIMIT } from '../../documents/limits.ts';
import { type ManifestText, manifestText } from '../manifestText.ts';
import type { SourceStore } from './sourceStore.ts';

const HINT = 'remove the image and import it again';

/** Names an image in messages. */
export function nameOfImage({ id, names }: ImageInfo): string {
  return names[0] === undefined ? `image ${id}` : `image ${id} (${names[0]})`;
}

/** Whether an image has a document of this name. */
export function hasItem({ bigData }: ImageInfo, key: string): boolean {
  return bigData.some(({ name }) => name === key);
}

/**
 * Reads a document of an image.
 *
 * @throws {StorageError} `BLOB_MISSING`, naming the image
 */
export async function readItem(store: SourceStore, image: ImageInfo, key: string): Promise<Uint8Array> {
  const what = `${key} of ${nameOfImage(image)}`;
  const size = image.bigData.find(({ name }) => name === key)?.size ?? 0;
  checkDocumentSize(size, DOCUMENT_LIMIT, { what, path: store.graphRoot });
  try {
    return await store.images.bigData(image.id, key);
  } catch (error) {
    if (!isStorageError(error, 'BIG_DATA_UNKNOWN')) throw error;
    throw new StorageError('BLOB_MISSING', `${what}: it is not in the store`, {
      object: image.id,
      path: store.graphRoot,
      cause: error,
      hint: HINT,
    });
  }
}

/**
 * Reads a manifest of an image, the default one or that of a digest.
 *
 * @throws {StorageError} `BLOB_MISSING`, `DIGEST_MISMATCH`, `MANIFEST_INVALID`, `DOCUMENT_TOO_LARGE`; all name the image
 */
export async function readStoreManifest(
  store: SourceStore,
  image: ImageInfo,
  digest?: Digest,
): Promise<ManifestText> {
  const key = digest === undefined ? 'manifest' : `manifest-${digest}`;
  const what = `${key} of ${nameOfImage(image)}`;
  const bytes = await readItem(store, image, key);
  const text = manifestText({ bytes, what, path: store.graphRoot, code: 'MANIFEST_INVALID' }, '');
  const expected = digest ?? image.bigData.find(({ name }) => name === key)?.digest;
  const agrees = expected === undefined || expected === text.digest || expected === digestOf(bytes);
  if (!agrees) throw mismatch({ image, what, path: store.graphRoot, expected, actual: text.digest });
  return text;
}

/**
 * Reads the config of an image.
 *
 * @throws {StorageError} `BLOB_MISSING`, `DIGEST_MISMATCH`; both name the image
 */
export async function readStoreConfig(
  store: SourceStore,
  image: ImageInfo,
  digest: Digest,
): Promise<Uint8Array> {
  const bytes = await readItem(store, image, digest);
  const actual = digestOf(bytes);
  if (actual === digest) return bytes;
  const what = `config ${digest} of ${nameOfImage(image)}`;
  throw mismatch({ image, what, path: store.graphRoot, expected: digest, actual });
}

interface Mismatch {
  readonly image: ImageInfo;
  readonly what: string;
  readonly path: string;
  readonly expected: Digest | undefined;
  readonly actual: Digest;
}

function mismatch({ image, what, path, expected, actual }: Mismatch): StorageError {
  return new StorageError(
    'DIGEST_MISMATCH',
    `${what}: Digest did not match, expected ${expected}, got ${actual}`,
    { object: image.id, path, ...(expected === undefined ? {} : { expected }), actual, hint: HINT },
  );
}

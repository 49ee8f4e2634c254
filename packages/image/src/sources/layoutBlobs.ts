import { type Descriptor, digestAlgorithm, digestOf, StorageError } from '@sediment/core';
import type { BlobRange } from '@sediment/storage';
import { readDocumentBytes } from '../archives/fileBytes.ts';
import type { BlobDescriptor } from '../documents/descriptor.ts';
import { checkDocumentSize, DOCUMENT_LIMIT } from '../documents/limits.ts';
import { blobPath } from './blobPath.ts';
import type { ImageDocument } from './imageSource.ts';
import type { LayoutFiles } from './layoutFiles.ts';

/**
 * Finds a blob and compares its length with the descriptor's. Its digest is left to whoever reads it.
 *
 * @param what names the blob in messages (`layer 2 of manifest sha256:…`)
 * @throws {StorageError} `BLOB_MISSING`, `SIZE_MISMATCH`
 */
export async function findBlob(files: LayoutFiles, descriptor: Descriptor, what: string): Promise<BlobRange> {
  const { digest, size } = descriptor;
  const path = files.describe(blobPath(digest));
  const blob = await files.find(blobPath(digest));
  if (blob === undefined) throw missing({ descriptor, what, path });
  if (blob.length === size) return blob;
  throw new StorageError(
    'SIZE_MISMATCH',
    `${what}: blob ${digest} has ${blob.length} bytes, its descriptor says ${size}`,
    {
      object: digest,
      path,
      expected: size,
      actual: blob.length,
      hint: 'the source is damaged or incomplete: copy it again',
    },
  );
}

/**
 * Reads a manifest, index or config. Size and digest are verified, also for the topmost manifest,
 * which containers/image takes as it is.
 *
 * @throws {StorageError} as {@link findBlob}; `DOCUMENT_TOO_LARGE`, `DIGEST_MISMATCH`
 */
export async function readBlobDocument(
  files: LayoutFiles,
  descriptor: Descriptor,
  what: string,
): Promise<ImageDocument> {
  const { digest, mediaType, size } = descriptor;
  const path = files.describe(blobPath(digest));
  checkDocumentSize(size, DOCUMENT_LIMIT, { what, path });
  const blob = await findBlob(files, descriptor, what);
  const bytes = await readDocumentBytes({ blob, limit: DOCUMENT_LIMIT, what, path });
  const actual = digestOf(bytes, digestAlgorithm(digest));
  if (actual === digest) return { mediaType, digest, bytes };
  throw new StorageError(
    'DIGEST_MISMATCH',
    `${what}: Digest did not match, expected ${digest}, got ${actual}`,
    {
      object: digest,
      path,
      expected: digest,
      actual,
      hint: 'the source is damaged or was tampered with: copy it again',
    },
  );
}

interface MissingBlob {
  readonly descriptor: Descriptor | BlobDescriptor;
  readonly what: string;
  readonly path: string;
}

function missing({ descriptor, what, path }: MissingBlob): StorageError {
  const urls = 'urls' in descriptor ? descriptor.urls : [];
  const { digest } = descriptor;
  if (urls.length > 0) {
    return new StorageError(
      'BLOB_MISSING',
      `${what}: blob ${digest} is a foreign layer: it is not in the source, only at ${urls.join(', ')}`,
      { object: digest, path, hint: `foreign layers are not fetched: download it to ${path}` },
    );
  }
  return new StorageError('BLOB_MISSING', `${what}: reading blob ${digest}: ${path}: no such file`, {
    object: digest,
    path,
    hint: 'the source is incomplete, or holds the blobs of another platform only: copy it again',
  });
}

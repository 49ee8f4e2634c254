import { type Descriptor, type Digest, digestAlgorithm, digestOf, StorageError } from '@sediment/core';
import type { BlobRange } from '@sediment/storage';
import { readDocumentBytes } from '../archives/fileBytes.ts';
import type { BlobDescriptor } from '../documents/descriptor.ts';
import { checkDocumentSize, DOCUMENT_LIMIT } from '../documents/limits.ts';
import type { BlobFiles, BlobKind } from './blobFiles.ts';
import type { ImageDocument } from './imageSource.ts';

export interface BlobRequest {
  readonly descriptor: Descriptor | BlobDescriptor;
  /** Names the blob in messages (`layer 2 of manifest sha256:…`). */
  readonly what: string;
  readonly kind?: BlobKind;
}

/**
 * Finds a blob and compares its length with the descriptor's. Its digest is left to whoever reads it.
 *
 * @throws {StorageError} `BLOB_MISSING`, `SIZE_MISMATCH`
 */
export async function findBlob(files: BlobFiles, request: BlobRequest): Promise<BlobRange> {
  const { what, kind = 'blob' } = request;
  const { digest, size } = request.descriptor;
  const path = files.describe(digest, kind);
  const blob = await files.find(digest, kind);
  if (blob === undefined) throw missing(request, path);
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
 * Finds a blob whose size nobody says.
 *
 * @throws {StorageError} `BLOB_MISSING`
 */
export async function findWholeBlob(files: BlobFiles, digest: Digest, what: string): Promise<BlobRange> {
  const blob = await files.find(digest, 'blob');
  if (blob !== undefined) return blob;
  throw missing({ descriptor: { mediaType: '', digest, size: 0 }, what }, files.describe(digest, 'blob'));
}

/**
 * Reads a manifest, index or config whole. Size and digest are verified, also for the topmost manifest,
 * which containers/image takes as it is.
 *
 * @param digestIn what the digest is over; default: the bytes
 * @throws {StorageError} as {@link findBlob}; `DOCUMENT_TOO_LARGE`, `DIGEST_MISMATCH`
 */
export async function readBlobDocument(
  files: BlobFiles,
  request: BlobRequest,
  digestIn?: (bytes: Uint8Array, claimed: Digest) => Digest,
): Promise<ImageDocument> {
  const { what, kind = 'blob' } = request;
  const { digest, mediaType, size } = request.descriptor;
  const path = files.describe(digest, kind);
  checkDocumentSize(size, DOCUMENT_LIMIT, { what, path });
  const blob = await findBlob(files, request);
  const bytes = await readDocumentBytes({ blob, limit: DOCUMENT_LIMIT, what, path });
  const actual = digestIn?.(bytes, digest) ?? digestOf(bytes, digestAlgorithm(digest));
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

function missing({ descriptor, what }: BlobRequest, path: string): StorageError {
  const urls = 'urls' in descriptor ? descriptor.urls : [];
  const { digest } = descriptor;
  if (urls.length > 0) {
    const places = urls.join(', ');
    return new StorageError(
      'BLOB_MISSING',
      `${what}: blob ${digest} is a foreign layer: it is not in the source, only at ${places}`,
      { object: digest, path, hint: `foreign layers are not fetched: download it from ${places} to ${path}` },
    );
  }
  return new StorageError(
    'BLOB_MISSING',
    `${what}: reading blob ${digest}: open ${path}: no such file or directory`,
    {
      object: digest,
      path,
      hint: 'the source is incomplete, or holds the blobs of another platform only: copy it again',
    },
  );
}

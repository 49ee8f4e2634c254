import { type Digest, StorageError } from '@sediment/core';
import { identifyManifest } from '../documents/identifyManifest.ts';
import { readImageIndex } from '../documents/imageIndex.ts';
import { type ImageManifest, readImageManifest } from '../documents/imageManifest.ts';
import { parseJson } from '../documents/parseDocument.ts';
import type { ImageDocument } from '../sources/imageSource.ts';

/** What a document that is to be written refers to. */
export type KnownDocument =
  | { readonly kind: 'manifest'; readonly manifest: ImageManifest }
  | { readonly kind: 'index'; readonly manifests: readonly Digest[] }
  /** Docker schema 1: its blobs are not looked at. */
  | { readonly kind: 'schema1' };

/**
 * Reads a manifest or index that is to be written.
 *
 * @throws {StorageError} `MANIFEST_INVALID`, `DIGEST_INVALID`
 */
export function readKnownDocument(
  { bytes, mediaType, digest }: ImageDocument,
  location: string,
): KnownDocument {
  const document = { bytes, what: `manifest ${digest}`, path: location, code: 'MANIFEST_INVALID' } as const;
  const value = parseJson(document);
  const { kind } = identifyManifest(value, mediaType, document);
  if (kind === 'schema1') return { kind };
  if (kind === 'manifest') return { kind, manifest: readImageManifest(value, document) };
  return { kind, manifests: readImageIndex(value, document).map((entry) => entry.digest) };
}

/**
 * Makes sure that nothing is listed whose blobs are not there. Layers that have addresses elsewhere may be
 * missing.
 *
 * @throws {StorageError} `BLOB_MISSING`
 */
export async function requireBlobs(
  { config, layers }: ImageManifest,
  location: string,
  isThere: (digest: Digest) => Promise<boolean>,
): Promise<void> {
  for (const { digest, urls } of [config, ...layers]) {
    if (urls.length > 0 || (await isThere(digest))) continue;
    throw blobMissing(digest, location);
  }
}

export function blobMissing(digest: Digest, location: string): StorageError {
  return new StorageError(
    'BLOB_MISSING',
    `writing ${location}: blob ${digest} was not written before its manifest`,
    {
      path: location,
      object: digest,
      hint: 'write all blobs of an image first',
    },
  );
}

export function indexUnsupported(transport: string, location: string): StorageError {
  return new StorageError(
    'INDEX_UNSUPPORTED',
    `copying multiple images: destination transport "${transport}" does not support copying multiple images as a group`,
    { path: location, hint: 'choose one platform, or write to oci, oci-archive or dir' },
  );
}

export function signaturesUnsupported(transport: string, location: string): StorageError {
  return new StorageError('SIGNATURES_UNSUPPORTED', `${location}: ${transport} cannot hold signatures`, {
    path: location,
    hint: 'leave the signatures out, or write to dir',
  });
}

export function manifestUnsupported(transport: string, mediaType: string, location: string): StorageError {
  return new StorageError(
    'NOT_SUPPORTED',
    `${location}: ${transport} cannot hold a manifest of type ${JSON.stringify(mediaType)}`,
    { path: location, actual: mediaType, hint: 'convert it to a type that the destination holds' },
  );
}

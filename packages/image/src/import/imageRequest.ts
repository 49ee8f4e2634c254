import { type Digest, digestHex } from '@sediment/core';
import type { BigDataItem, PutImageRequest } from '@sediment/storage';
import { DOCKER_SIGNED_SCHEMA1 } from '../documents/mediaTypes.ts';
import type { ImageDocument, OpenedImage } from '../sources/imageSource.ts';

export interface ImageParts {
  readonly opened: OpenedImage;
  readonly manifest: ImageDocument;
  /** Of the manifest. */
  readonly signatures: readonly Uint8Array[];
  /** Id of the top layer; absent without layers. */
  readonly layer: string | undefined;
  readonly names: readonly string[];
}

/**
 * The record of an image as skopeo and podman write it: the id is the hex of the config's digest;
 * config and manifests are kept byte for byte, under their digests and in this order; the digest is
 * that of the list, if the image came from one. A config that was made of a schema 1 manifest is not kept.
 */
export function imageRequest({ opened, manifest, signatures, layer, names }: ImageParts): PutImageRequest {
  const { config, configIsMade = false, index, created } = opened;
  return {
    id: digestHex(config.digest),
    ...(layer === undefined ? {} : { layer }),
    names,
    digest: (index ?? manifest).digest,
    metadata: signatureSizes(manifest.digest, signatures),
    ...(created === undefined ? {} : { created }),
    bigData: [
      ...(configIsMade ? [] : [{ name: config.digest, bytes: config.bytes }]),
      ...manifestItems(manifest, index),
      ...signatureItems(manifest.digest, signatures),
    ],
  };
}

/**
 * `manifest` is what other programs read by default. The digest of a signed schema 1 manifest is not that of its bytes.
 */
function manifestItems(
  { mediaType, digest, bytes }: ImageDocument,
  index: ImageDocument | undefined,
): readonly BigDataItem[] {
  const item = { bytes, ...(mediaType === DOCKER_SIGNED_SCHEMA1 ? { digest } : {}) };
  return [
    ...(index === undefined ? [] : [{ name: `manifest-${index.digest}`, bytes: index.bytes }]),
    { name: `manifest-${digest}`, ...item },
    { name: 'manifest', ...item },
  ];
}

/** Signatures lie behind each other, so their lengths are noted: once for the image, once for the manifest. */
function signatureSizes(digest: Digest, signatures: readonly Uint8Array[]): string {
  const sizes = signatures.map(({ length }) => length);
  return JSON.stringify({
    ...(sizes.length === 0 ? {} : { 'signature-sizes': sizes }),
    'signatures-sizes': { [digest]: sizes },
  });
}

/** Programs expect the second item though there are no signatures. */
function signatureItems(digest: Digest, signatures: readonly Uint8Array[]): readonly BigDataItem[] {
  const bytes = Buffer.concat(signatures);
  return [
    ...(bytes.length === 0 ? [] : [{ name: 'signatures', bytes }]),
    { name: `signature-${digestHex(digest)}`, bytes },
  ];
}

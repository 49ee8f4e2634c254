import { type Descriptor, digestAlgorithm, digestOf } from '@sediment/core';
import { identifyManifest, type ManifestIdentity } from '../documents/identifyManifest.ts';
import { type DocumentText, parseJson } from '../documents/parseDocument.ts';
import { signedPayload } from '../documents/signedPayload.ts';
import type { BlobFiles } from './blobFiles.ts';
import { readBlobDocument } from './findBlob.ts';
import type { ImageDocument } from './imageSource.ts';

/** A manifest or an index, read and verified. */
export interface ManifestText extends ImageDocument, ManifestIdentity {
  readonly value: unknown;
  readonly document: DocumentText;
  /** Simple signatures of it. */
  readonly signatures: readonly Uint8Array[];
}

/**
 * Reads a manifest that an index names.
 *
 * @throws {StorageError} `BLOB_MISSING`, `SIZE_MISMATCH`, `DIGEST_MISMATCH`, `DOCUMENT_TOO_LARGE`,
 *   `MANIFEST_INVALID`, `ARCHIVE_INVALID`
 */
export async function readManifestText(files: BlobFiles, descriptor: Descriptor): Promise<ManifestText> {
  const { digest, mediaType } = descriptor;
  const what = `manifest ${digest} of ${files.location}`;
  const { bytes } = await readBlobDocument(files, { descriptor, what, kind: 'instance' }, (read, claimed) => {
    const algorithm = digestAlgorithm(claimed);
    const whole = digestOf(read, algorithm);
    if (whole === claimed) return whole;
    const payload = signedPayload(read);
    return payload === undefined ? whole : digestOf(payload, algorithm);
  });
  const path = files.describe(digest, 'instance');
  const text = manifestText({ bytes, what, path, code: 'MANIFEST_INVALID' }, mediaType);
  return { ...text, digest, signatures: await files.signatures(digest) };
}

/**
 * A manifest whose bytes are at hand, without signatures. Its digest is that of the bytes; of a signed one
 * of schema 1 that of the text that was signed.
 *
 * @param declared media type that its descriptor says; may be empty
 * @throws {StorageError} `MANIFEST_INVALID`
 */
export function manifestText(document: DocumentText, declared: string): ManifestText {
  const { bytes } = document;
  const value = parseJson(document);
  const identity = identifyManifest(value, declared, document);
  const payload = identity.kind === 'schema1' ? signedPayload(bytes) : undefined;
  return { ...identity, digest: digestOf(payload ?? bytes), bytes, value, document, signatures: [] };
}

/** The document alone, to be handed out. */
export function documentOf({ mediaType, digest, bytes }: ImageDocument): ImageDocument {
  return { mediaType, digest, bytes };
}

import { identifyManifest } from '../documents/identifyManifest.ts';
import { type ImageManifest, readImageManifest } from '../documents/imageManifest.ts';
import { parseJson } from '../documents/parseDocument.ts';
import type { ImageDocument, OpenedImage } from './imageSource.ts';

/** The manifest of an opened image, read. */
export interface SourceManifest {
  readonly document: ImageDocument;
  /** Absent of a manifest of Docker schema 1, which names its layers in another way. */
  readonly content?: ImageManifest & {
    /** The whole, parsed. */
    readonly value: unknown;
  };
}

/**
 * @param location of the source, for messages
 * @throws {StorageError} `MANIFEST_INVALID`, `DIGEST_INVALID`
 */
export async function readSourceManifest(opened: OpenedImage, location: string): Promise<SourceManifest> {
  const document = await opened.manifest();
  const { bytes, digest, mediaType } = document;
  const text = {
    bytes,
    what: `manifest ${digest} of ${location}`,
    path: location,
    code: 'MANIFEST_INVALID',
  } as const;
  const value = parseJson(text);
  const identity = identifyManifest(value, mediaType, text);
  const known = { ...document, mediaType: identity.mediaType };
  if (identity.kind !== 'manifest') return { document: known };
  return { document: known, content: { ...readImageManifest(value, text), value } };
}

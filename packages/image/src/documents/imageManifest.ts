import * as z from 'zod/mini';
import { type BlobDescriptor, descriptorSchema, toDescriptor } from './descriptor.ts';
import { checkDocument, type DocumentText } from './parseDocument.ts';

/** A manifest of one image: OCI, or Docker schema 2. Layers are in order, base first. */
export interface ImageManifest {
  readonly config: BlobDescriptor;
  readonly layers: readonly BlobDescriptor[];
  /** What an artifact says that it is. */
  readonly artifactType?: string;
}

const manifestSchema = z.object({
  config: descriptorSchema,
  layers: z.nullish(z.array(descriptorSchema)),
  artifactType: z.nullish(z.string()),
});

/**
 * Reads a manifest (OCI image-spec, `manifest.md`).
 *
 * @param value the parsed JSON
 * @throws {StorageError} the document's code, or `DIGEST_INVALID`
 */
export function readImageManifest(value: unknown, document: DocumentText): ImageManifest {
  const { config, layers, artifactType } = checkDocument(manifestSchema, value, document);
  return {
    config: toDescriptor(config, `config of ${document.what}`),
    layers: (layers ?? []).map((layer, i) => toDescriptor(layer, `layer ${i} of ${document.what}`)),
    ...(artifactType ? { artifactType } : {}),
  };
}

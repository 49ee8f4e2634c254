import type { Descriptor } from '@sediment/core';
import * as z from 'zod/mini';
import { descriptorSchema, toDescriptor } from './descriptor.ts';
import { checkDocument, type DocumentText } from './parseDocument.ts';

/** An entry of an image index, of a Docker manifest list, or of the `index.json` of a layout. */
export type ManifestDescriptor = Descriptor;

const indexSchema = z.object({ manifests: z.nullish(z.array(descriptorSchema)) });

/**
 * Reads the entries of an index (OCI image-spec, `image-index.md`).
 *
 * @param value the parsed JSON
 * @throws {StorageError} the document's code, or `DIGEST_INVALID`
 */
export function readImageIndex(value: unknown, document: DocumentText): readonly ManifestDescriptor[] {
  const { manifests } = checkDocument(indexSchema, value, document);
  return (manifests ?? []).map((entry, i) => toDescriptor(entry, `manifest ${i} of ${document.what}`));
}

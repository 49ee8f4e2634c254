import * as z from 'zod/mini';
import { type BlobDescriptor, descriptorSchema, toDescriptor } from './descriptor.ts';
import { checkDocument, type DocumentText } from './parseDocument.ts';

/** `blobs` is the form of the withdrawn artifact manifest of OCI. */
const blobsSchema = z.object({
  config: z.nullish(descriptorSchema),
  layers: z.nullish(z.array(descriptorSchema)),
  blobs: z.nullish(z.array(descriptorSchema)),
});

/**
 * All that a manifest names, whatever it is a manifest of: its config, then its layers.
 *
 * @throws {StorageError} the document's code, or `DIGEST_INVALID`
 */
export function readManifestBlobs(value: unknown, document: DocumentText): readonly BlobDescriptor[] {
  const { config, layers, blobs } = checkDocument(blobsSchema, value, document);
  const { what } = document;
  return [
    ...(config == null ? [] : [toDescriptor(config, `config of ${what}`)]),
    ...(layers ?? []).map((layer, i) => toDescriptor(layer, `layer ${i} of ${what}`)),
    ...(blobs ?? []).map((blob, i) => toDescriptor(blob, `blob ${i} of ${what}`)),
  ];
}

import { type Digest, isDigest, StorageError } from '@sediment/core';
import type { Blobs } from '@sediment/storage';

/**
 * The digest that a person means: written in full, or the beginning of that of one kept blob only, as tables show it.
 *
 * @throws {StorageError} `BLOB_UNKNOWN`
 */
export async function findBlob(blobs: Blobs, text: string): Promise<Digest> {
  if (isDigest(text)) return text;
  const hex = text.replace(/^sha256:/, '');
  const known = /^[0-9a-f]{3,}$/.test(hex) ? await blobs.list() : [];
  const found = known.filter(({ digest }) => digest.startsWith(`sha256:${hex}`));
  if (found.length === 1) return (found[0] as { readonly digest: Digest }).digest;
  const why = found.length === 0 ? 'blob not known' : `${found.length} digests begin like that`;
  throw new StorageError('BLOB_UNKNOWN', `${text}: ${why}`, {
    object: text,
    hint: 'list the blobs with "sediment blobs --no-trunc"',
  });
}

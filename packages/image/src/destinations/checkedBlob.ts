import { type CountedStream, counted, verified } from '@sediment/codec';
import { newHasher } from '@sediment/core';
import { checkDocumentSize, DOCUMENT_LIMIT } from '../documents/limits.ts';
import type { NewBlob, StoredBlob } from './imageDestination.ts';

/** A blob whose bytes are verified, and measured as far as they are not known, as they pass. */
export interface CheckedBlob extends AsyncIterable<Uint8Array> {
  /** What has passed. To be called once, after the end. */
  result(): StoredBlob;
}

/**
 * Opens a blob. The stream ends only if size and digest are as the blob says.
 *
 * @throws {StorageError} while it is read: `DIGEST_MISMATCH`, `SIZE_MISMATCH`, and what the bytes throw
 */
export function openChecked({ digest, size, what, open, signal }: NewBlob): CheckedBlob {
  const hasher = digest === undefined ? newHasher() : undefined;
  const want = { what, ...(digest === undefined ? {} : { digest }), ...(size === undefined ? {} : { size }) };
  const stream: CountedStream = counted(verified(open(signal), want), hasher);
  return {
    [Symbol.asyncIterator]: () => stream[Symbol.asyncIterator](),
    result: () => ({ digest: digest ?? (hasher as NonNullable<typeof hasher>).digest(), size: stream.size }),
  };
}

/**
 * Reads a blob that is a document into memory.
 *
 * @throws {StorageError} as {@link openChecked}, and `DOCUMENT_TOO_LARGE`
 */
export async function readCheckedDocument(
  blob: NewBlob,
  location: string,
): Promise<StoredBlob & { readonly bytes: Buffer }> {
  const checked = openChecked(blob);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of checked) {
    size += chunk.length;
    checkDocumentSize(size, DOCUMENT_LIMIT, { what: blob.what, path: location });
    chunks.push(chunk);
  }
  return { ...checked.result(), bytes: Buffer.concat(chunks) };
}

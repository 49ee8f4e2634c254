import { type Digest, digestHex, isDigest, StorageError } from '@sediment/core';
import type { ImageInfo } from '@sediment/storage';
import * as z from 'zod/mini';
import type { SourceStore } from './sourceStore.ts';
import { hasItem, nameOfImage, readItem } from './storeDocuments.ts';

const sizesSchema = z.nullish(z.array(z.int().check(z.nonnegative())));
const metadataSchema = z.object({
  'signature-sizes': sizesSchema,
  'signatures-sizes': z.nullish(z.record(z.string(), sizesSchema)),
});

/**
 * The simple signatures that a store has for a manifest: they lie behind each other in one document, and the
 * metadata of the image tells their lengths. Metadata of other programs, or none, mean that there are none.
 *
 * @param isDefault whether it is the manifest that the image has by default, whose signatures may lie in the form
 *   of older programs
 * @throws {StorageError} `RECORD_INVALID` when the document is shorter than the lengths; `BLOB_MISSING`
 */
export async function readStoreSignatures(
  store: SourceStore,
  image: ImageInfo,
  { digest, isDefault }: { readonly digest: Digest; readonly isDefault: boolean },
): Promise<readonly Uint8Array[]> {
  const sizes = readSizes(image.metadata);
  const own = sizes.byManifest.get(digest) ?? [];
  const key = `signature-${digestHex(digest)}`;
  if (own.length > 0 && hasItem(image, key)) return await readParts(store, image, { key, sizes: own });
  if (!isDefault || sizes.ofDefault.length === 0) return [];
  return await readParts(store, image, { key: 'signatures', sizes: sizes.ofDefault });
}

interface SignatureSizes {
  readonly ofDefault: readonly number[];
  readonly byManifest: ReadonlyMap<Digest, readonly number[]>;
}

function readSizes(metadata: string | undefined): SignatureSizes {
  const parsed = metadataSchema.safeParse(jsonOf(metadata));
  if (!parsed.success) return { ofDefault: [], byManifest: new Map() };
  const { 'signature-sizes': ofDefault, 'signatures-sizes': byManifest } = parsed.data;
  const entries = Object.entries(byManifest ?? {});
  return {
    ofDefault: ofDefault ?? [],
    byManifest: new Map(
      entries.flatMap(([digest, sizes]) => (isDigest(digest) ? [[digest, sizes ?? []] as const] : [])),
    ),
  };
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}

async function readParts(
  store: SourceStore,
  image: ImageInfo,
  { key, sizes }: { readonly key: string; readonly sizes: readonly number[] },
): Promise<Uint8Array[]> {
  const bytes = await readItem(store, image, key);
  const expected = sizes.reduce((sum, size) => sum + size, 0);
  if (expected !== bytes.length) {
    throw new StorageError(
      'RECORD_INVALID',
      `${key} of ${nameOfImage(image)}: looking up signatures: it has ${bytes.length} bytes, the record says ${expected}`,
      {
        object: image.id,
        path: store.graphRoot,
        expected,
        actual: bytes.length,
        hint: 'remove the image and import it again',
      },
    );
  }
  let offset = 0;
  return sizes.map((size) => {
    offset += size;
    return bytes.subarray(offset - size, offset);
  });
}

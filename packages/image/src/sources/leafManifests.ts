import { type Digest, isStorageError, StorageError } from '@sediment/core';
import { type ManifestDescriptor, readImageIndex } from '../documents/imageIndex.ts';
import { manifestKindOf } from '../documents/mediaTypes.ts';
import type { BlobFiles } from './blobFiles.ts';
import { type ManifestText, readManifestText } from './manifestText.ts';

/** How many indexes may lie inside each other. */
const DEPTH_LIMIT = 8;

/**
 * The manifests of an index and of the indexes in it, in their order, each once. An entry without a platform
 * has that of the entry that its index has. (containers/image resolves one index only.)
 *
 * @throws {StorageError} `MANIFEST_INVALID`, also for indexes inside each other more than eight deep
 */
export async function leafManifests(
  files: BlobFiles,
  index: ManifestText,
): Promise<readonly ManifestDescriptor[]> {
  const leaves: ManifestDescriptor[] = [];
  const seen = new Set<Digest>([index.digest]);
  const collect = async (text: ManifestText, depth: number, outer: ManifestDescriptor | undefined) => {
    checkIndexDepth(depth, text);
    for (const entry of readImageIndex(text.value, text.document)) {
      const { platform } = outer ?? {};
      const leaf = entry.platform === undefined && platform !== undefined ? { ...entry, platform } : entry;
      const nested = await readNested(files, entry);
      if (nested === undefined) leaves.push(leaf);
      else if (!seen.has(entry.digest)) {
        seen.add(entry.digest);
        await collect(nested, depth + 1, leaf);
      }
    }
  };
  await collect(index, 1, undefined);
  return leaves;
}

/** @throws {StorageError} `MANIFEST_INVALID` */
export function checkIndexDepth(depth: number, { document: { what, path } }: ManifestText): void {
  if (depth <= DEPTH_LIMIT) return;
  throw new StorageError(
    'MANIFEST_INVALID',
    `${what}: more than ${DEPTH_LIMIT} indexes lie inside each other`,
    {
      object: what,
      path,
      hint: 'no image tool writes such indexes: the source is damaged or hostile',
    },
  );
}

/**
 * An entry that is an index, or does not say what it is and turns out to be one. Layouts may hold some platforms only:
 * what is missing counts when it is chosen.
 */
async function readNested(files: BlobFiles, entry: ManifestDescriptor): Promise<ManifestText | undefined> {
  if (entry.mediaType !== '' && manifestKindOf(entry.mediaType) !== 'index') return undefined;
  try {
    const text = await readManifestText(files, entry);
    return text.kind === 'index' ? text : undefined;
  } catch (error) {
    if (isStorageError(error, 'BLOB_MISSING')) return undefined;
    throw error;
  }
}

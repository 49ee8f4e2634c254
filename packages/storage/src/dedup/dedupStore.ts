import { isStorageError, StorageError, wrapSystemError } from '@sediment/core';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import { Breather } from '../store/breather.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView } from '../tables/recordTable.ts';
import { Deduplicator, NoSharing } from './deduplicator.ts';
import { DEDUP_HASHES, type DedupOptions, type DedupResult } from './dedupOptions.ts';

/**
 * Lets equal files in the layers of all images of this store share their blocks. What the files hold does
 * not change, and the kernel itself makes sure that it is equal; so no lock is held, and other programs may
 * read and remove the layers meanwhile. (containers/storage: `internal/dedup`.)
 *
 * @throws {StorageError} `NOT_SUPPORTED` when the file system cannot share blocks, and there are files;
 *   `ABORTED`
 * @throws {RangeError} for an unknown hash
 */
export async function dedupStore(context: StoreContext, options: DedupOptions = {}): Promise<DedupResult> {
  const { hash = 'crc', signal } = options;
  if (!DEDUP_HASHES.includes(hash)) throw new RangeError(`hash must be one of ${DEDUP_HASHES.join(', ')}`);
  const deduplicator = new Deduplicator(hash, new Breather('the deduplication', signal));
  for (const id of await layersOfImages(context, signal)) {
    for (const directory of directoriesOf(context, id)) await addDirectory(context, deduplicator, directory);
  }
  reportSkipped(context, deduplicator);
  return { bytes: deduplicator.bytes };
}

/** Ids of the layers of this store that its images use, base layers first. */
async function layersOfImages(
  { layers, images }: StoreContext,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const topsOf = (view: TableView<ImageRecord>) =>
    view.views.flatMap((each) => each.all().flatMap(({ layer, mappedLayers }) => [layer, ...mappedLayers]));
  const chainsOf = async (layerView: TableView<LayerRecord>) => {
    const tops = await images.read(topsOf, { signal });
    const found = new Set<string>();
    for (const top of tops) {
      for (let at = top; at !== undefined && !found.has(at); ) {
        const layer = layerView.byId(at);
        if (layer !== undefined) found.add(at);
        at = layer?.parent;
      }
    }
    return [...found].reverse();
  };
  return await layers.read(chainsOf, { signal });
}

function directoriesOf({ driver }: StoreContext, id: string): string[] {
  try {
    return driver.contentDirectories(id);
  } catch (error) {
    if (!isStorageError(error, 'LAYER_UNKNOWN')) throw error;
    return [];
  }
}

async function addDirectory(
  { driver }: StoreContext,
  deduplicator: Deduplicator,
  path: string,
): Promise<void> {
  try {
    await deduplicator.addDirectory(path);
  } catch (error) {
    if (!(error instanceof NoSharing)) throw wrapSystemError(error, `deduplicating ${path}`, 'IO', { path });
    throw new StorageError('NOT_SUPPORTED', `${driver.home}: the file system has no reflinks`, {
      path: driver.home,
      hint: 'equal files can share their blocks on btrfs, and on xfs made with reflink=1',
      cause: error,
    });
  }
}

function reportSkipped({ driver, onWarning }: StoreContext, { skipped }: Deduplicator): void {
  if (skipped.count === 0) return;
  const files = skipped.count === 1 ? 'file was' : 'files were';
  onWarning({
    code: 'DEDUP_SKIPPED',
    message: `${skipped.count} ${files} not deduplicated; the first one: ${skipped.firstReason}`,
    path: driver.home,
  });
}

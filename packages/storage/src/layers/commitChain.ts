import { chmodSync, renameSync } from 'node:fs';
import { StorageError, wrapSystemError } from '@sediment/core';
import type { Barrier } from '../durability/barrier.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableWriter } from '../tables/recordTable.ts';
import { asLastSaved, withLayerRemover } from './layerRemover.ts';
import { newLayerRecord } from './newLayerRecord.ts';
import type { StagedLayer } from './stageChain.ts';

export interface CommitOptions {
  /** What was staged is on the disk already, if the policy asks for it; what is moved then gets there, too. */
  readonly barrier: Barrier;
  /**
   * Ends the waiting for the lock, which others may hold for as long as they unpack; once the commit has begun it is
   * finished.
   */
  readonly signal: AbortSignal | undefined;
}

/**
 * Makes staged layers part of the store, parent first, under the layers lock: trees and tar-split files
 * are renamed into place, then the records are saved, once. That save is the moment at which the layers become
 * visible, all at once. What a crash before it leaves is named by the note in the staging directory
 * (`noteLayers`), and removed by whoever of us opens the store next.
 *
 * @throws {StorageError} `PARENT_UNKNOWN` when the layer below was deleted since the chain was planned;
 *   `ABORTED`
 */
export async function commitChain(
  context: StoreContext,
  staged: readonly StagedLayer[],
  { barrier, signal }: CommitOptions,
): Promise<void> {
  await withLayerRemover(context, async (remover) => {
    const commit = async (writer: TableWriter<LayerRecord>) => {
      const fresh = staged.filter(({ layer }) => writer.locateId(layer.id) === undefined);
      checkParent(writer, fresh[0]);
      const records = fresh.map(recordOf);
      try {
        for (const layer of fresh) moveIntoPlace(context, layer);
        await barrier.settle(fresh.flatMap(({ layer }) => context.driver.noteFiles(layer.id)));
        for (const record of records) writer.put(record, { file: 'images' });
        await writer.save();
      } catch (error) {
        await remover.takeBack(writer, asLastSaved(records.toReversed(), error));
        throw error;
      }
    };
    await context.layers.write(commit, signal === undefined ? {} : { signal });
  });
}

function checkParent(writer: TableWriter<LayerRecord>, lowest: StagedLayer | undefined): void {
  const parent = lowest?.layer.parent;
  if (lowest === undefined || parent === undefined || writer.locateId(parent) !== undefined) return;
  throw new StorageError(
    'PARENT_UNKNOWN',
    `layer ${lowest.layer.id}: its parent ${parent} was deleted while the layer was being unpacked`,
    { object: parent, hint: 'run the import again' },
  );
}

function moveIntoPlace({ driver, paths }: StoreContext, { layer, tree, tarSplit }: StagedLayer): void {
  const path = paths.tarSplit(layer.id);
  try {
    chmodSync(tarSplit, 0o600);
    renameSync(tarSplit, path);
  } catch (error) {
    throw wrapSystemError(error, `${layer.what}: moving its tar-split file to ${path}`, 'IO', { path });
  }
  driver.commitStaged(tree, layer.id, layer.parent === undefined ? {} : { parent: layer.parent });
}

function recordOf({ layer, result }: StagedLayer): LayerRecord {
  const plain = layer.addressedByDiffID === true;
  return newLayerRecord({
    id: layer.id,
    parent: layer.parent,
    compressedDiffDigest: plain ? result.diffDigest : result.compressedDigest,
    compressedSize: plain ? result.diffSize : result.compressedSize,
    diffDigest: result.diffDigest,
    diffSize: result.diffSize,
    compression: plain ? 'none' : result.compression,
    uidSet: result.uidSet,
    gidSet: result.gidSet,
  });
}

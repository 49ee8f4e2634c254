import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isIncomplete } from '../layers/layerInfo.ts';
import { withLayerRemover } from '../layers/layerRemover.ts';
import type { NamedRecord, RecordTable } from '../tables/recordTable.ts';
import { listDirectory, listTempFiles, removeTempFiles } from './removeTempFiles.ts';
import type { StoreContext } from './storeContext.ts';

const FULL_ID = /^[0-9a-f]{64}$/;

/**
 * Removes what a killed program left: staging that nobody holds, incomplete layers, directories of
 * images and containers without a record, temporary files. It looks first and takes write locks only
 * when there is something to remove, so that opening a sound store disturbs nobody.
 */
export async function recoverStore(context: StoreContext): Promise<void> {
  await recoverStaging(context);
  await recoverLayers(context);
  await recoverDirectories(context, context.images, context.paths.images, 'image');
  await recoverDirectories(context, context.containers, context.paths.containers, 'container');
}

/** Every staging directory has a lock of its own, so no store lock is needed while trees are deleted. */
async function recoverStaging(context: StoreContext): Promise<void> {
  const { contentTemp, layerTemp, onWarning, paths } = context;
  if (contentTemp.countStale() + layerTemp.countStale() === 0) return;
  const removed = contentTemp.recover() + layerTemp.recover();
  await context.layers.write(() => {
    contentTemp.removeRootIfEmpty();
    layerTemp.removeRootIfEmpty();
  });
  if (removed === 0) return;
  onWarning({
    code: 'DEBRIS_REMOVED',
    message: `removed ${removed} staging director${removed === 1 ? 'y' : 'ies'} that an interrupted program left`,
    path: paths.graphRoot,
  });
}

async function recoverLayers(context: StoreContext): Promise<void> {
  const { layers, paths, onWarning } = context;
  const hidden = await layers.read((view) => view.hidden().length);
  if (hidden === 0 && listTempFiles(paths.layers).length === 0) return;
  await withLayerRemover(context, async (remover) => {
    await layers.write(async (writer) => {
      removeTempFiles(paths.layers);
      const incomplete = writer.hidden().filter(isIncomplete).toReversed();
      await remover.remove(writer, incomplete);
      for (const { id } of incomplete) {
        onWarning({
          code: 'INCOMPLETE_LAYER_REMOVED',
          message: `found incomplete layer "${id}", deleting it`,
          object: id,
        });
      }
    });
  });
}

async function recoverDirectories<R extends NamedRecord>(
  context: StoreContext,
  table: RecordTable<R>,
  directory: string,
  kind: string,
): Promise<void> {
  const orphans = (records: readonly NamedRecord[]) => {
    const known = new Set(records.map((record) => record.id));
    return listDirectory(directory).filter((name) => FULL_ID.test(name) && !known.has(name));
  };
  const found = await table.read((view) => orphans(view.all()).length + listTempFiles(directory).length);
  if (found === 0) return;
  await table.write((writer) => {
    removeTempFiles(directory);
    for (const id of orphans(writer.all())) {
      rmSync(join(directory, id), { recursive: true });
      context.onWarning({
        code: 'DEBRIS_REMOVED',
        message: `removed the directory of ${kind} ${id}, which has no record`,
        object: id,
        path: join(directory, id),
      });
    }
  });
}

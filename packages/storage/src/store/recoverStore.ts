import { existsSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { errnoCode, isStorageError, type WarningHandler, wrapSystemError } from '@sediment/core';
import { removeContainerDirectories } from '../containers/deleteContainer.ts';
import { isIncomplete } from '../layers/layerInfo.ts';
import { removeNotedLayers } from '../layers/layerNote.ts';
import { type LayerRemover, removeStagingRoots, withLayerRemover } from '../layers/layerRemover.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { NamedRecord, RecordTable, TableView, TableWriter } from '../tables/recordTable.ts';
import { listDirectory, listTempFiles } from './removeTempFiles.ts';
import type { StoreContext } from './storeContext.ts';
import { recoverTemporaryFiles } from './storeTemporaryFile.ts';

const FULL_ID = /^[0-9a-f]{64}$/;

/**
 * Removes what a killed program left: staging that nobody holds, incomplete layers, directories of
 * images without a record, temporary files; and saves records whose double names were settled. It looks
 * first and takes write locks only when there is something to do, so that opening a sound store disturbs
 * nobody. What cannot be removed is reported and left: the store can be used all the same.
 *
 * Directories of containers are left alone: a program that keeps the records of its containers elsewhere
 * (upstream's `transient_store`) has its directories here, too.
 */
export async function recoverStore(context: StoreContext): Promise<void> {
  const { layers, images, containers } = context;
  await recoverStaging(context);
  await recoverLayers(context);
  await recoverFiles(layers, tarSplitTemps);
  await recoverFiles(images);
  await recoverFiles(containers);
  await recoverImageDirectories(context);
  await context.mountCounts.removeTempFiles();
}

/**
 * Every staging directory has a lock of its own, so no store lock is needed while trees are deleted. What was moved
 * out of them without getting a record goes first, since they tell of it.
 */
async function recoverStaging(context: StoreContext): Promise<void> {
  recoverSpool(context);
  const { contentTemp, imageContentTemp, layerTemp } = context;
  const roots = [...new Set([contentTemp, imageContentTemp, layerTemp])];
  if (!roots.some((root) => root.hasEmptyRoot() || root.countStale() > 0)) return;
  await removeNotedLayers(context, roots);
  const removed = roots.reduce((sum, root) => sum + root.recover(), 0);
  await removeStagingRoots(context);
  reportRemoved(context, removed, removed === 1 ? 'staging directory' : 'staging directories');
}

/** Most stores have none. */
function recoverSpool(context: StoreContext): void {
  if (!existsSync(context.paths.spool)) return;
  const copies = recoverTemporaryFiles(context);
  reportRemoved(context, copies, copies === 1 ? 'temporary file' : 'temporary files');
  const blobs = context.blobTemp.recover();
  reportRemoved(context, blobs, blobs === 1 ? 'staging directory' : 'staging directories');
}

function reportRemoved({ onWarning, paths }: StoreContext, count: number, what: string): void {
  if (count === 0) return;
  const message = `removed ${count} ${what} that an interrupted program left`;
  onWarning({ code: 'DEBRIS_REMOVED', message, path: paths.graphRoot });
}

async function recoverLayers(context: StoreContext): Promise<void> {
  const { layers } = context;
  if ((await layers.read((view) => view.hidden().length)) === 0) return;
  await withLayerRemover(context, async (remover) => {
    await layers.write(async (writer) => {
      const incomplete = writer.hidden().filter(isIncomplete).toReversed();
      await forgetContainers(context, incomplete);
      await removeIncomplete(context, remover, writer, incomplete);
    });
  });
}

/** A container whose layer is incomplete was being deleted. */
async function forgetContainers(context: StoreContext, layers: readonly LayerRecord[]): Promise<void> {
  const ids = new Set(layers.map(({ id }) => id));
  const doomed = (view: TableView<{ id: string; names: readonly string[]; layer: string }>) =>
    view.all().filter(({ layer }) => ids.has(layer));
  if ((await context.containers.read((view) => doomed(view).length)) === 0) return;
  await context.containers.write(async (writer) => {
    for (const { id } of doomed(writer)) {
      try {
        removeContainerDirectories(context, id);
      } catch (error) {
        reportLeft(context.onWarning, error, context.paths.containerData(id));
      }
      writer.remove(id);
      context.onWarning({
        code: 'DEBRIS_REMOVED',
        message: `removed container ${id}, whose deletion was interrupted`,
        object: id,
      });
    }
    await writer.save();
  });
}

async function removeIncomplete(
  context: StoreContext,
  remover: LayerRemover,
  writer: TableWriter<LayerRecord>,
  incomplete: readonly LayerRecord[],
): Promise<void> {
  try {
    await remover.remove(writer, incomplete);
  } catch (error) {
    reportLeft(context.onWarning, error, context.paths.layers);
  }
  const left = new Set(writer.hidden().map(({ id }) => id));
  for (const { id } of incomplete) {
    if (left.has(id)) continue;
    context.onWarning({
      code: 'INCOMPLETE_LAYER_REMOVED',
      message: `found incomplete layer "${id}", deleting it`,
      object: id,
    });
  }
}

/** Temporary files beside the records, and names that two records had. */
async function recoverFiles<R extends NamedRecord>(
  table: RecordTable<R>,
  othersOf: (view: TableView<R>) => readonly string[] = () => [],
): Promise<void> {
  const tempFiles = (view: TableView<R>) => [...tempFilesOf(view), ...othersOf(view)];
  const isSound = await table.read((view) =>
    view.views.every((each) => !each.needsSave && tempFiles(each).length === 0),
  );
  if (isSound) return;
  const recover = async ({ writers }: TableWriter<R>) => {
    for (const writer of writers) {
      for (const path of tempFiles(writer)) rmSync(path, { force: true });
      if (writer.needsSave) await writer.save();
    }
  };
  await table.write(recover, { everyStore: true });
}

function tempFilesOf({ filePaths }: TableView<NamedRecord>): string[] {
  return filePaths.flatMap((path) => listTempFiles(dirname(path), basename(path)));
}

/** Of copies of tar-split files, which lie beside the records and are written under their lock. */
function tarSplitTemps({ paths }: TableView<LayerRecord>): string[] {
  return listTempFiles(paths.layers).filter((path) => path.includes('.tar-split.gz'));
}

/** Directories of images that have no record; one of an additional store may have its user directory here. */
export function orphanImages(view: TableView<NamedRecord>): string[] {
  return listDirectory(view.paths.images).filter((id) => FULL_ID.test(id) && view.locateId(id) === undefined);
}

async function recoverImageDirectories({ images, onWarning }: StoreContext): Promise<void> {
  if (await images.read(({ views }) => views.every((view) => orphanImages(view).length === 0))) return;
  const recover = ({ writers }: TableWriter<ImageRecord>) => {
    for (const writer of writers) {
      for (const id of orphanImages(writer)) removeOrphan(onWarning, id, writer.paths.imageData(id));
    }
  };
  await images.write(recover, { everyStore: true });
}

function removeOrphan(onWarning: WarningHandler, id: string, path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
    onWarning({
      code: 'DEBRIS_REMOVED',
      message: `removed the directory of image ${id}, which has no record`,
      object: id,
      path,
    });
  } catch (error) {
    reportLeft(onWarning, error, path);
  }
}

function reportLeft(onWarning: WarningHandler, error: unknown, path: string): void {
  if (!isStorageError(error) && errnoCode(error) === undefined) throw error;
  const { message } = wrapSystemError(error, `removing what an interrupted program left in ${path}`);
  onWarning({ code: 'DEBRIS_LEFT', message, path });
}

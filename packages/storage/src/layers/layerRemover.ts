import { lstatSync } from 'node:fs';
import { dirname } from 'node:path';
import { isStorageError } from '@sediment/core';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { TempDir, TempDirRoot } from '../staging/tempDirRoot.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableWriter } from '../tables/recordTable.ts';
import { isIncomplete } from './layerInfo.ts';

/**
 * Removes layers in the order that a crash cannot spoil: marked incomplete and saved, content renamed
 * away, record removed and saved. What was renamed away is deleted by {@link finish}, after the
 * locks are free.
 */
class LayerRemover {
  readonly #context: StoreContext;
  readonly #content = new Map<TempDirRoot, TempDir>();
  #metadata: TempDir | undefined;
  readonly #homeReleases: number;

  constructor(context: StoreContext) {
    this.#context = context;
    this.#homeReleases = context.driver.homeReleases;
  }

  /**
   * The first step of {@link remove}, for those who have something to do between it and the rest: from
   * now on nobody sees the layers, and if nobody goes on, the next opener removes them. Returns the
   * marked records.
   */
  async mark(writer: TableWriter<LayerRecord>, layers: readonly LayerRecord[]): Promise<LayerRecord[]> {
    const marked = layers.map((layer) => ({ ...layer, flags: { ...layer.flags, incomplete: true } }));
    if (layers.every(isIncomplete)) return marked;
    for (const layer of marked) writer.put(layer);
    await writer.save();
    return marked;
  }

  /**
   * Removes the layers, which must be in child-first order. Call it under the layers write lock. A layer
   * that cannot be removed stays, marked, and the others go; the first error is thrown.
   */
  async remove(writer: TableWriter<LayerRecord>, layers: readonly LayerRecord[]): Promise<void> {
    if (layers.length === 0) return;
    await this.mark(writer, layers);
    const errors: unknown[] = [];
    for (const { id } of layers) {
      try {
        await this.removeContent(id);
        writer.remove(id);
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length < layers.length) await this.#saveRemoval(writer);
    if (errors.length > 0) throw errors[0];
  }

  /** On a full disk the deleted content makes the room; it may go first, since nobody sees the layers. */
  async #saveRemoval(writer: TableWriter<LayerRecord>): Promise<void> {
    const homes = [...this.#content.keys()].map(({ root }) => dirname(root));
    const { disk, paths } = this.#context;
    await disk.emptied(this.#metadata === undefined ? homes : [...homes, paths.layers]);
    try {
      await writer.save();
    } catch (error) {
      if (!isStorageError(error, 'NO_SPACE')) throw error;
      for (const temp of this.#content.values()) temp.cleanup();
      this.#metadata?.cleanup();
      await writer.save();
    }
  }

  /**
   * {@link remove} for the layers of an operation that failed. Never throws: what stays is reported as
   * `DEBRIS_LEFT`, and removed by the next program that opens the store.
   */
  async takeBack(writer: TableWriter<LayerRecord>, layers: readonly LayerRecord[]): Promise<void> {
    try {
      await this.remove(writer, layers);
    } catch (error) {
      const ids = layers.map(({ id }) => id).join(', ');
      this.#context.onWarning({
        code: 'DEBRIS_LEFT',
        message: `layers ${ids}, which could not be completed, are left to the next program: ${textOf(error)}`,
        path: this.#context.paths.layers,
      });
    }
  }

  /**
   * Removes what is kept under an id, but no record: mounts, the driver's tree, and files beside the
   * records. Call it under the layers write lock.
   */
  async removeContent(id: string): Promise<void> {
    const { driver, paths } = this.#context;
    await this.#context.mountCounts.update(id, () => undefined);
    if (driver.exists(id)) driver.remove(id, this.#contentFor(id));
    for (const path of [paths.tarSplit(id), paths.layerData(id)]) {
      if (lstatSync(path, { throwIfNoEntry: false }) === undefined) continue;
      this.#metadata ??= this.#context.layerTemp.create();
      this.#metadata.stageDeletion(path);
    }
  }

  /** A directory in the home where the layer lies, so that a rename brings it there. */
  #contentFor(id: string): TempDir {
    const { contentTemp, imageContentTemp, driver } = this.#context;
    const apart = imageContentTemp !== contentTemp && driver.placeOf(id) === 'images';
    const root = apart ? imageContentTemp : contentTemp;
    const temp = this.#content.get(root) ?? root.create();
    this.#content.set(root, temp);
    return temp;
  }

  async finish(): Promise<void> {
    await discardTempDirs(this.#context, [...this.#content.values(), this.#metadata]);
    await announceHomeRelease(this.#context, this.#homeReleases);
  }
}

export type { LayerRemover };

/**
 * Records that were saved as incomplete and then, perhaps, could not be saved as complete: for
 * {@link LayerRemover.takeBack}. On a full disk the file still has the marks, and there is no room to write
 * them again.
 */
export function asLastSaved(records: readonly LayerRecord[], error: unknown): readonly LayerRecord[] {
  if (!isStorageError(error, 'NO_SPACE')) return records;
  return records.map((record) => ({ ...record, flags: { ...record.flags, incomplete: true } }));
}

/**
 * Runs `fn`, which takes the locks it needs and hands layers to the remover; deletes their files
 * when `fn` is done and its locks are free.
 */
export async function withLayerRemover<T>(
  context: StoreContext,
  fn: (remover: LayerRemover) => Promise<T>,
): Promise<T> {
  const remover = new LayerRemover(context);
  try {
    return await fn(remover);
  } finally {
    await remover.finish();
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Tells other programs, by the storage lock's token, when the private mount of the driver home was
 * taken away since `before` was read: they must make their own before they mount again. Never throws,
 * since the operation itself is done.
 */
export async function announceHomeRelease(context: StoreContext, before: number): Promise<void> {
  if (context.driver.homeReleases === before) return;
  try {
    await context.storageLock.withWrite((guard) => {
      guard.writeToken();
    });
  } catch (error) {
    const { storageLock } = context.paths;
    context.onWarning({
      code: 'MOUNT_NOT_ANNOUNCED',
      message: `other programs were not told that the mount of ${context.paths.driverHome} is gone: ${textOf(error)}`,
      path: storageLock,
    });
  }
}

/**
 * Deletes temporary directories, and the staging roots that this process made once they are empty:
 * older programs stumble over an unknown directory in the driver home. That takes the layers lock; while
 * another program keeps it (some do as long as they unpack) the empty roots stay.
 *
 * Never throws, since it often runs while an error is on its way: what cannot be deleted is reported
 * as `DEBRIS_LEFT` and collected by the next program that opens the store.
 */
export async function discardTempDirs(
  context: StoreContext,
  temps: readonly (TempDir | undefined)[],
): Promise<void> {
  const present = temps.filter((temp) => temp !== undefined);
  if (present.length === 0) return;
  try {
    for (const temp of present) temp.cleanup();
    await removeStagingRoots(context);
  } catch (error) {
    context.onWarning({
      code: 'DEBRIS_LEFT',
      message: `temporary files could not be deleted and are left to the next program: ${textOf(error)}`,
      path: present[0].path,
    });
  }
}

/** So long an operation that is done, or was aborted, waits to take away empty directories. */
const ROOTS_WAIT_MS = 50;

/** Takes away the staging roots that this process made or found left over, if they are empty. */
export async function removeStagingRoots({
  locks,
  paths,
  contentTemp,
  imageContentTemp,
  layerTemp,
}: StoreContext): Promise<void> {
  const patience = AbortSignal.timeout(ROOTS_WAIT_MS);
  try {
    await locks.lock(paths.layersLock, { rank: 'layers' }).withWrite(
      () => {
        contentTemp.removeRootIfEmpty();
        if (imageContentTemp !== contentTemp) imageContentTemp.removeRootIfEmpty();
        layerTemp.removeRootIfEmpty();
      },
      { signal: patience },
    );
  } catch (error) {
    if (!isStorageError(error, 'ABORTED')) throw error;
  }
}

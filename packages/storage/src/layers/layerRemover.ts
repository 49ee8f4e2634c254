import { existsSync } from 'node:fs';
import { StorageError } from '@sediment/core';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { TempDir } from '../staging/tempDirRoot.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableWriter } from '../tables/recordTable.ts';

/**
 * Removes layers in the order that a crash cannot spoil: marked incomplete and saved, content renamed
 * away, record removed and saved. What was renamed away is deleted by {@link finish}, after the
 * locks are free.
 */
class LayerRemover {
  readonly #context: StoreContext;
  #content: TempDir | undefined;
  #metadata: TempDir | undefined;
  readonly #homeReleases: number;

  constructor(context: StoreContext) {
    this.#context = context;
    this.#homeReleases = context.driver.homeReleases;
  }

  /** Removes the layers, which must be in child-first order. Call it under the layers write lock. */
  async remove(writer: TableWriter<LayerRecord>, layers: readonly LayerRecord[]): Promise<void> {
    if (layers.length === 0) return;
    for (const layer of layers) {
      writer.put({ ...layer, flags: { ...layer.flags, incomplete: true } });
    }
    await writer.save();
    for (const { id } of layers) {
      await this.#context.mountCounts.update(id, () => undefined);
      this.stageContent(id);
      writer.remove(id);
    }
    await writer.save();
  }

  /** Renames all that belongs to a layer out of the way, whether or not there is a record of it. */
  stageContent(id: string): void {
    const { driver, paths } = this.#context;
    if (driver.exists(id)) {
      this.#content ??= this.#context.contentTemp.create();
      driver.remove(id, this.#content);
    }
    for (const path of [paths.tarSplit(id), paths.layerData(id)]) {
      if (!existsSync(path)) continue;
      this.#metadata ??= this.#context.layerTemp.create();
      this.#metadata.stageDeletion(path);
    }
  }

  async finish(): Promise<void> {
    await announceHomeRelease(this.#context, this.#homeReleases);
    await discardTempDirs(this.#context, [this.#content, this.#metadata]);
  }
}

export type { LayerRemover };

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

/**
 * Tells other programs, by the storage lock's token, when the private mount of the driver home was
 * taken away since `before` was read: they must make their own before they mount again.
 */
export async function announceHomeRelease(context: StoreContext, before: number): Promise<void> {
  if (context.driver.homeReleases === before) return;
  await context.storageLock.withWrite((guard) => {
    guard.writeToken();
  });
}

/**
 * Deletes temporary directories, and the staging roots that this process made once they are empty:
 * older programs stumble over an unknown directory in the driver home. Takes the layers lock.
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
    await context.layers.write(() => {
      context.contentTemp.removeRootIfEmpty();
      context.layerTemp.removeRootIfEmpty();
    });
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    context.onWarning({
      code: 'DEBRIS_LEFT',
      message: `temporary files could not be deleted and are left to the next program: ${text}`,
      path: present[0].path,
    });
  }
}

/** @throws {StorageError} `LAYER_UNKNOWN` */
export function unknownLayer(idOrName: string): StorageError {
  return new StorageError('LAYER_UNKNOWN', `layer "${idOrName}": layer not known`, {
    object: idOrName,
    hint: 'list the layers of the store with "sediment layers"',
  });
}

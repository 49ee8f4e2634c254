import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { StorageError, wrapSystemError } from '@sediment/core';
import { treeDiff } from '../drivers/diff/naiveDiff.ts';
import { NO_MAPPINGS } from '../idmaps/idMappings.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView } from '../tables/recordTable.ts';
import { applyStaged, refuseContent } from './applyDiff.ts';
import { findLayer } from './findLayer.ts';

export interface ApplyDirectoryOptions {
  readonly signal?: AbortSignal;
}

/**
 * Makes a directory of the host the content of an empty layer, as if it had come as an archive. Only where
 * partial pulls are allowed, since upstream does it in that way.
 *
 * @throws {StorageError} `NOT_SUPPORTED` on vfs, or without the pull option `enable_partial_images`;
 *   `LAYER_UNKNOWN`, `LAYER_NOT_EMPTY`, `IO`
 */
export async function applyDiffFromDirectory(
  context: StoreContext,
  idOrName: string,
  directory: string,
  { signal }: ApplyDirectoryOptions = {},
): Promise<void> {
  refuseUnlessPartial(context);
  const path = resolve(directory);
  requireDirectory(path);
  const look = (view: TableView<LayerRecord>) => {
    const found = findLayer(view, idOrName);
    refuseContent(context, found);
    return found;
  };
  const layer = await context.layers.read(look, { signal });
  const { onWarning } = context;
  const diff = asynchronous(treeDiff(Buffer.from(path), { maps: NO_MAPPINGS, onWarning }));
  await applyStaged(context, layer, { what: `layer ${layer.id}`, diff, signal });
}

function refuseUnlessPartial({ driver, pullOptions }: StoreContext): void {
  if (driver.name !== 'overlay') {
    throw new StorageError('NOT_SUPPORTED', `the ${driver.name} driver has no staging: not supported`, {
      object: driver.name,
      hint: 'use the overlay driver, or apply an archive of the directory',
    });
  }
  if (pullOptions.enable_partial_images?.toLowerCase() === 'true') return;
  throw new StorageError('NOT_SUPPORTED', 'partial images are disabled', {
    object: 'enable_partial_images',
    hint: 'set enable_partial_images = "true" below [storage.options.pull_options] in storage.conf',
  });
}

function requireDirectory(path: string): void {
  try {
    if (statSync(path).isDirectory()) return;
  } catch (error) {
    throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
  }
  throw new StorageError('IO', `${path} is no directory`, { path, errnoCode: 'ENOTDIR', syscall: 'open' });
}

async function* asynchronous<T>(source: Iterable<T>): AsyncGenerator<T, void, undefined> {
  yield* source;
}

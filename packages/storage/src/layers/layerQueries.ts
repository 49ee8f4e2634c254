import { parseDigest, StorageError } from '@sediment/core';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { Placed } from '../tables/recordTable.ts';
import { locateLayer } from './findLayer.ts';
import { type LayerInfo, layerInfo } from './layerInfo.ts';

/** All complete layers of all stores, as they are now. */
export async function listLayers(context: StoreContext): Promise<LayerInfo[]> {
  return await context.layers.read((view) => withMounts(context, view.everywhere()));
}

/** What a layer is called. */
export type LayerNames = Pick<LayerInfo, 'id' | 'names'>;

export async function listLayerNames(context: StoreContext): Promise<LayerNames[]> {
  return await context.layers.read((view) =>
    view.everywhere().map(({ record: { id, names } }) => ({ id, names: [...names] })),
  );
}

/** @throws {StorageError} `LAYER_UNKNOWN` */
export async function getLayer(context: StoreContext, idOrName: string): Promise<LayerInfo> {
  return await context.layers.read(async (view) => {
    const [info] = await withMounts(context, [locateLayer(view, idOrName)]);
    return info as LayerInfo;
  });
}

/**
 * The layers that have a digest in one field of their record.
 *
 * @throws {StorageError} `DIGEST_INVALID`; `LAYER_UNKNOWN` when there is none
 */
export async function layersByDigest(
  context: StoreContext,
  field: 'compressedDiffDigest' | 'diffDigest' | 'tocDigest',
  text: string,
): Promise<LayerInfo[]> {
  const digest = parseDigest(text);
  return await context.layers.read(async (view) => {
    const found = view.everywhere().filter(({ record }) => record[field] === digest);
    if (found.length > 0) return await withMounts(context, found);
    throw new StorageError('LAYER_UNKNOWN', `locating layers with digest "${digest}": layer not known`, {
      object: digest,
    });
  });
}

/**
 * Size in bytes of the tar that filled a layer; undefined when no tar did.
 *
 * @throws {StorageError} `LAYER_UNKNOWN`
 */
export async function layerSize(context: StoreContext, idOrName: string): Promise<number | undefined> {
  return await context.layers.read((view) => {
    const { diffDigest, tocDigest, diffSize = 0 } = locateLayer(view, idOrName).record;
    return diffDigest === undefined && tocDigest === undefined ? undefined : diffSize;
  });
}

async function withMounts(
  { mountCounts }: StoreContext,
  layers: readonly Placed<LayerRecord>[],
): Promise<LayerInfo[]> {
  const mounts = new Map((await mountCounts.list()).map((mount) => [mount.id, mount]));
  return layers.map(({ record, readOnly }) => layerInfo(record, { readOnly, mount: mounts.get(record.id) }));
}

import { StorageError } from '@sediment/core';
import { findContainer } from '../containers/findContainer.ts';
import { IdMappings } from '../idmaps/idMappings.ts';
import { locateLayer } from '../layers/findLayer.ts';
import type { MountLayerOptions } from '../layers/mountLayer.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { TableView } from '../tables/recordTable.ts';
import type { StoreContext } from './storeContext.ts';

/** The layer that is mounted when someone asks for an object. */
export interface MountTarget {
  readonly layerId: string;
  /** What the container wants; nothing for a layer. */
  readonly options: MountLayerOptions;
}

/**
 * What to mount: a container (by id, name, id of its layer, or prefix), else a layer of any store. Images are
 * mounted in another way.
 *
 * @throws {StorageError} `CONTAINER_UNKNOWN` when it is neither
 */
export async function mountTarget(context: StoreContext, idOrName: string): Promise<MountTarget> {
  const layer = await context.layers.read((view) => view.locate(idOrName)?.record.id);
  return await context.containers.read((view) => {
    const isLayer = layer !== undefined && view.find(idOrName) === undefined;
    if (isLayer) return { layerId: layer, options: {} };
    const container = findContainer(view, idOrName);
    return { layerId: container.layer, options: optionsOf(container) };
  });
}

/**
 * The layer of a target, if it may be mounted to be written to.
 *
 * @throws {StorageError} `LAYER_UNKNOWN`; `STORE_READ_ONLY` for a layer of an additional store
 */
export function mountableLayer(view: TableView<LayerRecord>, layerId: string): LayerRecord {
  const { record, readOnly } = locateLayer(view, layerId);
  if (!readOnly) return record;
  throw new StorageError(
    'STORE_READ_ONLY',
    'mounting read/only store images is not allowed: called a write method on a read-only store',
    { object: record.id, hint: 'mount the image, which is read-only, or make a container on it' },
  );
}

function optionsOf({ flags, uidMap, gidMap }: ContainerRecord): MountLayerOptions {
  const { MountOpts: options, Volatile: volatile } = flags;
  return {
    ...(Array.isArray(options) ? { options: options.map(String) } : {}),
    volatile: volatile === true,
    idMaps: new IdMappings(uidMap, gidMap),
  };
}

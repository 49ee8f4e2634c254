import { type ErrorCode, StorageError } from '@sediment/core';
import { type IdMapLists, type IdMappings, NO_MAPPINGS } from '../idmaps/idMappings.ts';
import { refuseOverlaps, resolveIdMaps } from '../idmaps/resolveIdMaps.ts';
import type { LockWaitOptions } from '../locks/index.ts';
import { checkNewId } from '../records/checkNewId.ts';
import type { ContainerRecord } from '../records/containerRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import { uniqueNames } from '../records/names.ts';
import { randomId } from '../records/randomId.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView, TableWriter } from '../tables/recordTable.ts';
import { createLayer, type LayerFiller, type NewLayer } from './createLayer.ts';
import type { CreateLayerRequest } from './createLayerRequest.ts';
import { locateLayer } from './findLayer.ts';
import { type LayerRemover, withLayerRemover } from './layerRemover.ts';

/**
 * Makes a layer as asked for, under the layers lock.
 *
 * @throws {StorageError} `DUPLICATE_ID`, `DUPLICATE_NAME`, `LAYER_UNKNOWN`, `PARENT_IS_CONTAINER`,
 *   `ID_MAP_INVALID`, `INVALID_MAPPINGS`, `BIG_DATA_NAME_INVALID`
 */
export async function createStoreLayer(
  context: StoreContext,
  request: CreateLayerRequest,
): Promise<LayerRecord> {
  return await withLayerRemover(context, async (remover) => {
    return await context.layers.write(async (writer) => {
      const parent = await checkedParent(context, writer, request);
      return await createRequested({ context, writer, remover, request, parent });
    });
  });
}

export interface RequestedLayer {
  readonly context: StoreContext;
  readonly writer: TableWriter<LayerRecord>;
  readonly remover: LayerRemover;
  readonly request: CreateLayerRequest;
  readonly parent: LayerRecord | undefined;
  readonly fill?: LayerFiller;
}

/** {@link createStoreLayer} when the locks are held and the parent is known. */
export async function createRequested(layer: RequestedLayer): Promise<LayerRecord> {
  const { context, writer, request, parent, fill } = layer;
  const { id, names = [], template } = request;
  refuseInUse(writer, request);
  return await createLayer({
    context,
    writer,
    remover: layer.remover,
    ...plainFacts(request),
    id: id === '' ? undefined : id,
    names: uniqueNames(names),
    parent,
    template: template === undefined ? undefined : locateLayer(writer, template).record,
    idMaps: layerMaps(context, request, parent),
    ...(fill === undefined ? {} : { fill }),
  });
}

/**
 * The maps that the content of a new layer is shifted by: none where owners are shifted while mounting,
 * else those asked for, or the parent's.
 *
 * @throws {StorageError} `ID_MAP_INVALID`, `INVALID_MAPPINGS`
 */
export function layerMaps(
  { driver }: StoreContext,
  request: CreateLayerRequest,
  parent: IdMapLists | undefined,
): IdMappings {
  const maps = resolveIdMaps(request, parent ?? NO_MAPPINGS);
  refuseOverlaps(maps);
  return driver.supports.shifting ? NO_MAPPINGS : maps;
}

/**
 * The record of the requested parent.
 *
 * @throws {StorageError} `LAYER_UNKNOWN`, `PARENT_IS_CONTAINER`
 */
export async function checkedParent(
  context: StoreContext,
  view: TableView<LayerRecord>,
  { parent }: CreateLayerRequest,
  options: LockWaitOptions = {},
): Promise<LayerRecord | undefined> {
  if (parent === undefined || parent === '') return undefined;
  const { record } = locateLayer(view, parent);
  const writtenBy = (boxes: TableView<ContainerRecord>) => boxes.all().find((box) => box.layer === record.id);
  const container = await context.containers.read(writtenBy, options);
  if (container === undefined) return record;
  throw new StorageError('PARENT_IS_CONTAINER', `layer ${record.id}: would-be parent layer is a container`, {
    object: record.id,
    usedBy: [container.id],
    hint: 'choose a layer that no container writes to',
  });
}

/**
 * Makes a layer in the driver alone, without a record. Returns its id.
 *
 * @throws {StorageError} `DUPLICATE_ID`, `LAYER_UNKNOWN`
 */
export async function createInDriver(context: StoreContext, request: CreateLayerRequest): Promise<string> {
  const { driver } = context;
  const { parent = '', readWrite = true, storageOptions } = request;
  return await context.layers.write((writer) => {
    const id = request.id || randomId((used) => driver.exists(used));
    checkNewId(id, 'layer');
    if (driver.exists(id)) throw inUse('DUPLICATE_ID', id, 'ID');
    driver.create(id, {
      ...(parent === '' ? {} : { parent: writer.locate(parent)?.record.id ?? parent }),
      readWrite,
      idMaps: resolveIdMaps(request, NO_MAPPINGS),
      ...(storageOptions === undefined ? {} : { storageOptions }),
    });
    return id;
  });
}

function plainFacts(request: CreateLayerRequest): Partial<NewLayer> {
  const { mountLabel, storageOptions, metadata, flags, bigData, readWrite, volatile } = request;
  return {
    ...{ mountLabel, storageOptions, metadata },
    ...(flags === undefined ? {} : { flags }),
    ...(bigData === undefined ? {} : { bigData }),
    ...(readWrite === undefined ? {} : { readWrite }),
    ...(volatile === undefined ? {} : { volatile }),
  };
}

/** @throws {StorageError} `DUPLICATE_ID`, `DUPLICATE_NAME` */
export function refuseInUse(
  view: TableView<LayerRecord>,
  { id, names = [] }: Pick<CreateLayerRequest, 'id' | 'names'>,
): void {
  if (id !== undefined && id !== '') checkNewId(id, 'layer');
  if (id !== undefined && view.byId(id) !== undefined) throw inUse('DUPLICATE_ID', id, 'ID');
  for (const name of names) {
    const owner = view.all().find((layer) => layer.names.includes(name));
    if (owner !== undefined) throw inUse('DUPLICATE_NAME', name, 'name', owner.id);
  }
}

function inUse(code: ErrorCode, object: string, what: 'ID' | 'name', owner?: string): StorageError {
  return new StorageError(code, `layer "${object}": that ${what} is already in use`, {
    object,
    ...(owner === undefined ? {} : { usedBy: [owner] }),
    hint: `choose another ${what}`,
  });
}

import { StorageError } from '@sediment/core';
import { IdMappings, NO_MAPPINGS } from '../idmaps/idMappings.ts';
import type { IdMapRequest } from '../idmaps/resolveIdMaps.ts';
import { createLayer } from '../layers/createLayer.ts';
import type { LayerRemover } from '../layers/layerRemover.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView, TableWriter } from '../tables/recordTable.ts';

export interface TopLayerRequest {
  readonly context: StoreContext;
  readonly layers: TableWriter<LayerRecord>;
  readonly images: TableWriter<ImageRecord>;
  readonly remover: LayerRemover;
  /** The image, from any store. */
  readonly image: ImageRecord;
  /** The ids that the container shall have. */
  readonly ids: IdMapRequest;
}

/**
 * The layer that a container of an image stands on: the first of its top layer and the mapped copies of it
 * whose owners fit. If none does, a mapped copy is made and noted in the image, for further containers; where
 * image or layer are only read, the container's own layer has to change the owners. Undefined for an image
 * without layers.
 *
 * @throws {StorageError} `LAYER_UNKNOWN`
 */
export async function topLayerFor(request: TopLayerRequest): Promise<LayerRecord | undefined> {
  const { context, layers, images, image, ids } = request;
  if (image.layer === undefined) return undefined;
  const candidates = candidatesOf(layers, image);
  const [first] = candidates;
  if (first === undefined) throw missingLayer(image.id, image.layer);
  const shifting = context.driver.supports.shifting;
  const fitting = candidates.find((layer) => fits(layer, ids, shifting));
  if (fitting !== undefined) return fitting;
  const isOwn = images.byId(image.id) !== undefined && layers.byId(first.id) !== undefined;
  return isOwn ? await makeMappedCopy(request, first) : first;
}

function candidatesOf(layers: TableView<LayerRecord>, { layer, mappedLayers }: ImageRecord): LayerRecord[] {
  const found = [...(layer === undefined ? [] : [layer]), ...mappedLayers].map((id) => layers.locateId(id));
  return found.flatMap((placed) => {
    const parent = placed?.record.parent;
    const isWhole = placed !== undefined && (parent === undefined || layers.locateId(parent) !== undefined);
    return isWhole ? [placed.record] : [];
  });
}

function fits(layer: LayerRecord, ids: IdMapRequest, shifting: boolean): boolean {
  const own = IdMappings.of(layer);
  return (shifting && own.isEmpty) || own.equals({ uidMap: ids.uidMap ?? [], gidMap: ids.gidMap ?? [] });
}

async function makeMappedCopy(request: TopLayerRequest, template: LayerRecord): Promise<LayerRecord> {
  const { context, layers, images, remover, image, ids } = request;
  const { parent, mountLabel } = template;
  const copy = await createLayer({
    context,
    writer: layers,
    remover,
    parent: parent === undefined ? undefined : layers.locateId(parent)?.record,
    template,
    mountLabel,
    readWrite: false,
    idMaps: context.driver.supports.shifting ? NO_MAPPINGS : new IdMappings(ids.uidMap, ids.gidMap),
  });
  try {
    images.put({ ...image, mappedLayers: [...image.mappedLayers, copy.id] });
    await images.save();
  } catch (error) {
    await remover.takeBack(layers, [copy]);
    throw error;
  }
  return copy;
}

function missingLayer(imageId: string, layerId: string): StorageError {
  return new StorageError('LAYER_UNKNOWN', `image ${imageId}: locating layer ${layerId}: layer not known`, {
    object: layerId,
    hint: 'the image is damaged: remove it and import it again',
  });
}

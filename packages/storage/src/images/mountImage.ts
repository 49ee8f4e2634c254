import { StorageError } from '@sediment/core';
import { topLayerFor } from '../containers/topLayer.ts';
import { IdMappings } from '../idmaps/idMappings.ts';
import { withLayerRemover } from '../layers/layerRemover.ts';
import { mountLayer, unmountLayer } from '../layers/mountLayer.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView } from '../tables/recordTable.ts';
import { locateImage } from './findImage.ts';

export interface MountImageOptions {
  /** Mount options instead of the driver's `mountopt`. */
  readonly options?: readonly string[];
  /** SELinux context of all files in the mount. */
  readonly label?: string;
}

/**
 * Mounts an image of any store, read-only and with the owners that its layers were made with, and counts the
 * mount. If its top layer has other ids, and no copy has those, one is made.
 *
 * @throws {StorageError} `IMAGE_UNKNOWN`, `LAYER_UNKNOWN`, `MOUNT_FAILED`; `NOT_SUPPORTED` for the option `rw`
 *   and for an image without layers
 */
export async function mountImage(
  context: StoreContext,
  idOrName: string,
  { options, label }: MountImageOptions = {},
): Promise<string> {
  if (options?.includes('rw')) {
    throw new StorageError('NOT_SUPPORTED', 'invalid mount option:  "rw" option not supported', {
      object: 'rw',
      hint: 'an image cannot be written to: make a container on it',
    });
  }
  return await withLayerRemover(context, async (remover) => {
    const pick = async (layers: Parameters<Parameters<typeof mountLayer>[1]>[0]) =>
      await context.images.write(async (images) => {
        const image = locateImage(images, idOrName).record;
        const ids = { hostUidMap: true, hostGidMap: true };
        const layer = await topLayerFor({ context, layers, images, remover, image, ids });
        return layer ?? withoutLayers(image);
      });
    return await mountLayer(context, pick, { options, mountLabel: label, readOnly: true });
  });
}

/**
 * Takes one mount of an image back, or all of them with `force`; returns whether it is still mounted.
 *
 * @throws {StorageError} `IMAGE_UNKNOWN`, `LAYER_NOT_MOUNTED`
 */
export async function unmountImage(
  context: StoreContext,
  idOrName: string,
  options: { readonly force?: boolean } = {},
): Promise<boolean> {
  const pick = async (layers: TableView<LayerRecord>) =>
    await context.images.read((images) => {
      const image = locateImage(images, idOrName).record;
      const found = [image.layer, ...image.mappedLayers].flatMap((id) =>
        id === undefined ? [] : (layers.locateId(id)?.record ?? []),
      );
      const layer = found.find((candidate) => IdMappings.of(candidate).isEmpty);
      if (layer !== undefined) return layer;
      throw new StorageError('LAYER_NOT_MOUNTED', `image ${image.id}: layer is not mounted`, {
        object: image.id,
        hint: 'mount it first',
      });
    });
  return await unmountLayer(context, pick, options);
}

function withoutLayers({ id }: ImageRecord): never {
  throw new StorageError('NOT_SUPPORTED', `image ${id} has no layers that could be mounted`, {
    object: id,
    hint: 'it is a list of images, or something else than an image',
  });
}

import type { ImageInfo, LayerInfo } from '@sediment/storage';

/**
 * Bytes of an image as podman counts them: the uncompressed tars of all its layers and the documents
 * kept with it. Undefined when a layer is missing or its size is not known.
 */
export function imageSize(image: ImageInfo, layers: ReadonlyMap<string, LayerInfo>): number | undefined {
  let total = 0;
  for (const { size } of image.bigData) total += size ?? 0;
  let next = image.layer;
  while (next !== undefined) {
    const layer = layers.get(next);
    if (layer?.diffSize === undefined || layer.diffSize < 0) return undefined;
    total += layer.diffSize;
    next = layer.parent;
  }
  return total;
}

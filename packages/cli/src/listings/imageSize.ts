import type { ImageInfo, LayerInfo } from '@sediment/storage';

/**
 * Bytes of an image as podman counts them: the uncompressed tars of all its layers, mapped copies of the top
 * layer included, and the documents kept with it. Undefined when a layer is missing or its size is not known.
 */
export function imageSize(image: ImageInfo, layers: ReadonlyMap<string, LayerInfo>): number | undefined {
  let total = 0;
  for (const { size } of image.bigData) total += size ?? 0;
  const counted = new Set<string>();
  const tops = [...(image.layer === undefined ? [] : [image.layer]), ...image.mappedLayers];
  for (let next = tops.pop(); next !== undefined; next = tops.pop()) {
    if (counted.has(next)) continue;
    counted.add(next);
    const layer = layers.get(next);
    if (layer?.diffSize === undefined || layer.diffSize < 0) return undefined;
    total += layer.diffSize;
    if (layer.parent !== undefined) tops.push(layer.parent);
  }
  return total;
}

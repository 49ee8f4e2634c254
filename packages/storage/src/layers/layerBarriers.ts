import { dirname } from 'node:path';
import type { BarrierRequest } from '../durability/disk.ts';
import type { StoreContext } from '../store/storeContext.ts';

/** For layers of images that are unpacked, with the directories where that is done. */
export function imageBarrier(context: StoreContext, directories: readonly string[]): BarrierRequest {
  const { paths, driver } = context;
  return {
    directories,
    records: paths.imageStore === undefined ? paths.layers : paths.imageLayers,
    // Elsewhere the tree begins as a copy of the parent's.
    tracked: driver.supports.parallelTrees,
  };
}

export interface MadeLayer {
  /** For a container; others may lie in a place of their own. */
  readonly readWrite: boolean;
  /** Whether content comes from another layer. */
  readonly copied: boolean;
  /** Whether a crash of the host may cost the layer. */
  readonly volatile?: boolean;
}

/** For a layer that is made or filled under the layers lock. */
export function layerBarrier(
  context: StoreContext,
  { readWrite, copied, volatile = false }: MadeLayer,
): BarrierRequest {
  const { paths, contentTemp, imageContentTemp } = context;
  const isImage = !readWrite && paths.imageStore !== undefined;
  const records = isImage ? paths.imageLayers : paths.layers;
  return {
    directories: volatile ? [] : [dirname((isImage ? imageContentTemp : contentTemp).root), paths.layers],
    records,
    tracked: !copied,
  };
}

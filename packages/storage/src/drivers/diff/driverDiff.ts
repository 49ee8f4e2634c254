import type { WarningHandler } from '@sediment/core';
import type { IdMappings } from '../../idmaps/idMappings.ts';
import type { Driver } from '../driver.ts';
import type { OpenedTree } from '../openedTree.ts';
import type { TreeChange } from './change.ts';
import { type ComparedTree, compareTrees } from './compareTrees.ts';
import { changesDiff, changesSize, treeDiff, treeSize } from './naiveDiff.ts';
import { overlayChanges } from './overlayChanges.ts';
import { overlayDiff } from './overlayDiff.ts';

/** A layer of a driver, and whose ids its content has. */
export interface MappedLayer {
  readonly id: string;
  readonly maps: IdMappings;
}

/** Two layers to be compared. */
export interface LayerPair {
  readonly driver: Driver;
  readonly layer: MappedLayer;
  /** What it is compared with; without it everything in the layer is new. */
  readonly base: MappedLayer | undefined;
}

/**
 * The difference between two layers as a layer archive. Where the driver has it as such (an overlay layer and
 * its parent) it is read from there, else both trees are compared.
 *
 * @throws {StorageError} `LAYER_UNKNOWN`, `MOUNT_FAILED`, `ID_UNMAPPED`, `IO`
 */
export function* driverDiff(
  pair: LayerPair,
  onWarning: WarningHandler,
): Generator<Uint8Array, void, undefined> {
  const { driver, layer, base } = pair;
  const options = { maps: layer.maps, onWarning };
  const own = driver.ownChanges(layer.id, base?.id);
  if (own !== undefined) {
    yield* overlayDiff(own, options);
    return;
  }
  const trees = new OpenTrees(pair);
  try {
    const { root } = trees.tree;
    if (trees.base === undefined) yield* treeDiff(root, options);
    else yield* changesDiff(root, compareTrees(trees.tree, trees.base), options);
  } finally {
    trees.close();
  }
}

/** What differs between two layers. */
export function driverChanges(pair: LayerPair): TreeChange[] {
  const own = pair.driver.ownChanges(pair.layer.id, pair.base?.id);
  if (own !== undefined) return overlayChanges(own);
  const trees = new OpenTrees(pair);
  try {
    return compareTrees(trees.tree, trees.base);
  } finally {
    trees.close();
  }
}

/** Bytes of the files that are new or changed. */
export function driverDiffSize(pair: LayerPair): number {
  const own = pair.driver.ownChanges(pair.layer.id, pair.base?.id);
  if (own !== undefined) return treeSize(Buffer.from(own.directory));
  const trees = new OpenTrees(pair);
  try {
    return changesSize(trees.tree.root, compareTrees(trees.tree, trees.base));
  } finally {
    trees.close();
  }
}

/** The complete trees of two layers, shown to us alone. */
class OpenTrees {
  readonly tree: ComparedTree;
  readonly base: ComparedTree | undefined;
  readonly #opened: OpenedTree[] = [];

  constructor({ driver, layer, base }: LayerPair) {
    try {
      this.tree = this.#open(driver, layer);
      this.base = base === undefined ? undefined : this.#open(driver, base);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    for (const opened of this.#opened.splice(0)) opened.close();
  }

  #open(driver: Driver, { id, maps }: MappedLayer): ComparedTree {
    const opened = driver.openTree(id);
    this.#opened.push(opened);
    return { root: Buffer.from(`/proc/self/fd/${opened.fd}`), maps };
  }
}

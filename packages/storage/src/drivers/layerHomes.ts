import { StorageError } from '@sediment/core';
import type { LayerPlace } from './driver.ts';
import type { LayerDirectories } from './layerDirectories.ts';

/** A directory of layers, whatever else a driver keeps beside them. */
export interface LayerHome {
  readonly path: string;
  readonly layers: LayerDirectories;
}

/** A layer that exists, and where. */
export interface PlacedLayer<H extends LayerHome> {
  readonly id: string;
  readonly place: LayerPlace;
  readonly home: H;
}

export interface HomeRoots {
  readonly graphRoot: string;
  readonly imageStore?: string | undefined;
  readonly imageStores: readonly string[];
}

/**
 * All homes in which a driver looks for a layer, in this order: that of the graph root, that of a split image
 * store, and those of additional stores, which are only read.
 */
export class LayerHomes<H extends LayerHome> {
  readonly own: H;
  /** Where layers that are not written to again are made; the same as `own` without a split store. */
  readonly images: H;
  readonly additional: readonly H[];

  constructor({ graphRoot, imageStore, imageStores }: HomeRoots, homeIn: (root: string) => H) {
    this.own = homeIn(graphRoot);
    this.images = imageStore === undefined ? this.own : homeIn(imageStore);
    this.additional = imageStores.map(homeIn);
  }

  /** The homes that are written to. */
  get writable(): readonly H[] {
    return this.images === this.own ? [this.own] : [this.own, this.images];
  }

  get all(): readonly H[] {
    return [...this.writable, ...this.additional];
  }

  /** Where a new layer is made. */
  forNew(readWrite: boolean): H {
    return readWrite ? this.own : this.images;
  }

  placeOf(home: H): LayerPlace {
    if (home === this.own) return 'own';
    return home === this.images ? 'images' : 'additional';
  }

  find(id: string): PlacedLayer<H> | undefined {
    const home = this.all.find(({ layers }) => layers.exists(id));
    return home === undefined ? undefined : { id, home, place: this.placeOf(home) };
  }

  /** @throws {StorageError} `LAYER_UNKNOWN` */
  require(id: string): PlacedLayer<H> {
    const found = this.find(id);
    if (found !== undefined) return found;
    // Says where it should be.
    this.own.layers.require(id);
    throw new StorageError('LAYER_UNKNOWN', `layer "${id}": layer not known`, { object: id });
  }

  /** Ids of the layers of this store, in byte order. */
  list(): string[] {
    return [...new Set(this.writable.flatMap(({ layers }) => layers.list()))].sort();
  }
}

import type { Blobs, Images, Layers } from '@sediment/storage';

/** The part of a store that images are read from; a `Store` is one. */
export interface SourceStore {
  readonly graphRoot: string;
  readonly images: Pick<Images, 'list' | 'bigData'>;
  readonly layers: Pick<Layers, 'get' | 'diff'>;
  /** Where the store keeps blobs as they came. */
  readonly blobs?: Pick<Blobs, 'get' | 'image' | 'images'>;
}

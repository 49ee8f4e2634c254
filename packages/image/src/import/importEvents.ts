import type { Digest } from '@sediment/core';
import type { ChainEvent, ImageInfo } from '@sediment/storage';

/** What {@link ImportEvent}s of type `image-start` say about the layers to come. */
export interface AnnouncedLayer {
  readonly diffID: Digest;
  /** Of the blob in the source, if the source says so. */
  readonly digest?: Digest;
  /** Of the blob in the source, in bytes. */
  readonly size: number;
}

/**
 * The course of an import. `image` counts the imported images from 0; layer events have the `index` of
 * the layer in its image, base first, and come from layers side by side. Each image starts with
 * `image-start` and ends with `image-done`; each layer is either reused or started and done.
 */
export type ImportEvent =
  | {
      readonly type: 'image-start';
      readonly image: number;
      /** How many images are imported. */
      readonly total: number;
      readonly id: string;
      readonly names: readonly string[];
      readonly layers: readonly AnnouncedLayer[];
    }
  | (ChainEvent & { readonly image: number })
  | {
      /** A blob of another platform of the image is kept. */
      readonly type: 'blob-kept';
      readonly image: number;
      readonly digest: Digest;
      readonly size: number;
    }
  | {
      readonly type: 'image-done';
      readonly image: number;
      readonly info: ImageInfo;
      /** Whether the image is new to the store. */
      readonly isNew: boolean;
      /** Whether the import has kept the blobs of the image. */
      readonly keepsBlobs: boolean;
    };

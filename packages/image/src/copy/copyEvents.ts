import type { Digest } from '@sediment/core';

/**
 * How a layer came to its place: `bytes`: as it was in the source; `present`: it was there; `rebuilt`: made anew from a
 * store's files; `decompressed`, `recompressed`: what the words say; `unpacked`: into a store.
 */
export type CopiedAs = 'bytes' | 'present' | 'rebuilt' | 'decompressed' | 'recompressed' | 'unpacked';

/** A blob at the destination. */
export interface CopiedBlob {
  readonly digest: Digest;
  /** In bytes. */
  readonly size: number;
  readonly copied: CopiedAs;
}

/** An image at the destination. */
export interface CopiedImage {
  /** Of the manifest or index as it is at the destination. */
  readonly manifestDigest: Digest;
  /** Of the manifest or index in the source; absent where the source has none (docker-archive). */
  readonly sourceDigest?: Digest;
  /** The id that a store gives to the image: hex. Absent of an index and of an artifact. */
  readonly id?: string;
  /** Names that it has there. */
  readonly names: readonly string[];
  /** The layers, base first; of an index or artifact all blobs. */
  readonly layers: readonly CopiedBlob[];
}

/** A layer (or, of an index, any blob) that is to be copied. */
export interface AnnouncedBlob {
  /** In the source, if the source says so. */
  readonly digest?: Digest;
  readonly diffID?: Digest;
  /** Of what will be read, in bytes. */
  readonly size: number;
}

/**
 * The course of a copy. `image` counts the copied images from 0; layer events have the `index` of the layer in its image,
 * base first, and come from layers side by side. Each image starts with `image-start` and ends with `image-done`; each
 * layer ends with `layer-done`, and starts with `layer-start` unless it is there already. After the last image comes
 * `commit`, when all is about to become visible (in a store each image is, when it is done).
 */
export type CopyEvent =
  | {
      readonly type: 'image-start';
      readonly image: number;
      /** How many images are copied. */
      readonly total: number;
      readonly names: readonly string[];
      readonly layers: readonly AnnouncedBlob[];
    }
  | { readonly type: 'layer-start'; readonly image: number; readonly index: number; readonly size: number }
  | {
      readonly type: 'layer-progress';
      readonly image: number;
      readonly index: number;
      /** Bytes of the source that were read. */
      readonly read: number;
    }
  | ({ readonly type: 'layer-done'; readonly image: number; readonly index: number } & CopiedBlob)
  | { readonly type: 'image-done'; readonly image: number; readonly copied: CopiedImage }
  | { readonly type: 'commit' };

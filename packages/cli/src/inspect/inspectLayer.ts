import type { LayerInfo, Store } from '@sediment/storage';
import { type GraphDriver, graphDriver } from './graphDriver.ts';

/** A layer as `sediment inspect` prints it. podman inspects no layers; the words are those of its others. */
export interface LayerInspection {
  readonly Id: string;
  readonly Names: readonly string[];
  /** Id of the layer below; empty for a base layer. */
  readonly Parent: string;
  readonly Created: string;
  /** Digest of the uncompressed tar, and its size in bytes. */
  readonly DiffID: string | null;
  readonly DiffSize: number | null;
  /** Digest and size in bytes of the blob that the layer came as. */
  readonly BlobDigest: string | null;
  readonly BlobSize: number | null;
  readonly Compression: string;
  readonly MountLabel: string;
  readonly GraphDriver: GraphDriver;
}

export async function inspectLayer(store: Store, layer: LayerInfo): Promise<LayerInspection> {
  return {
    Id: layer.id,
    Names: layer.names,
    Parent: layer.parent ?? '',
    Created: layer.created,
    DiffID: layer.diffID ?? null,
    DiffSize: layer.diffSize ?? null,
    BlobDigest: layer.compressedDigest ?? null,
    BlobSize: layer.compressedSize ?? null,
    Compression: layer.compression,
    MountLabel: layer.mountLabel ?? '',
    GraphDriver: await graphDriver(store, layer.id),
  };
}

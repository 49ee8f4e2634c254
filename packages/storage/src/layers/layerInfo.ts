import type { Compression, Digest } from '@sediment/core';
import type { LayerRecord } from '../records/layerRecord.ts';

/** A layer as it was when asked for. Sizes are in bytes. */
export interface LayerInfo {
  readonly id: string;
  readonly names: readonly string[];
  readonly parent?: string;
  /** RFC 3339 with up to nine fractional digits. */
  readonly created: string;
  /** Digest and size of the blob as it was handed in. */
  readonly compressedDigest?: Digest;
  readonly compressedSize?: number;
  /** Digest and size of the uncompressed tar. */
  readonly diffID?: Digest;
  readonly diffSize?: number;
  readonly compression: Compression;
  readonly mountLabel?: string;
  readonly flags: Readonly<Record<string, unknown>>;
}

export function layerInfo(record: LayerRecord): LayerInfo {
  const { id, names, parent, created, compression, flags, mountLabel } = record;
  return {
    id,
    names: [...names],
    ...(parent === undefined ? {} : { parent }),
    created,
    ...(record.compressedDiffDigest === undefined ? {} : { compressedDigest: record.compressedDiffDigest }),
    ...(record.compressedSize === undefined ? {} : { compressedSize: record.compressedSize }),
    ...(record.diffDigest === undefined ? {} : { diffID: record.diffDigest }),
    ...(record.diffSize === undefined ? {} : { diffSize: record.diffSize }),
    compression,
    ...(mountLabel === undefined ? {} : { mountLabel }),
    flags: { ...flags },
  };
}

export function isIncomplete(record: LayerRecord): boolean {
  return record.flags.incomplete === true;
}

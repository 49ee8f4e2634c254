import type { Compression, Digest } from '@sediment/core';
import type { IdMap } from '../records/idMap.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { MountpointRecord } from '../records/mountpointRecord.ts';

/** A layer as it was when asked for. Sizes are in bytes. */
export interface LayerInfo {
  readonly id: string;
  readonly names: readonly string[];
  readonly parent?: string;
  /** Opaque text of whoever made the layer. */
  readonly metadata?: string;
  /** RFC 3339 with up to nine fractional digits. */
  readonly created: string;
  /** Digest and size of the blob as it was handed in. */
  readonly compressedDigest?: Digest;
  readonly compressedSize?: number;
  /** Digest and size of the uncompressed tar. */
  readonly diffID?: Digest;
  /** Digest of the table of contents; layers of partial pulls have it. */
  readonly tocDigest?: Digest;
  readonly diffSize?: number;
  readonly compression: Compression;
  /** Ids of all owners in the tar that filled the layer, ascending. */
  readonly uidSet: readonly number[];
  readonly gidSet: readonly number[];
  readonly mountLabel?: string;
  readonly flags: Readonly<Record<string, unknown>>;
  /** Ids that the content on disk was shifted to; empty for ids as in the host. */
  readonly uidMap: readonly IdMap[];
  readonly gidMap: readonly IdMap[];
  readonly bigDataNames: readonly string[];
  /** Whether the layer lies in a store that is only read. */
  readonly readOnly: boolean;
  /** Where the layer is mounted, and how often that was asked for; absent when it is not. */
  readonly mountPoint?: string;
  readonly mountCount?: number;
}

export interface LayerInfoFacts {
  readonly readOnly?: boolean;
  readonly mount?: MountpointRecord | undefined;
}

export function layerInfo(record: LayerRecord, { readOnly = false, mount }: LayerInfoFacts = {}): LayerInfo {
  const { id, names, parent, metadata, created, compression, flags, mountLabel, tocDigest } = record;
  return {
    id,
    names: [...names],
    ...(parent === undefined ? {} : { parent }),
    ...(metadata === undefined ? {} : { metadata }),
    created,
    ...(record.compressedDiffDigest === undefined ? {} : { compressedDigest: record.compressedDiffDigest }),
    ...(record.compressedSize === undefined ? {} : { compressedSize: record.compressedSize }),
    ...(record.diffDigest === undefined ? {} : { diffID: record.diffDigest }),
    ...(tocDigest === undefined ? {} : { tocDigest }),
    ...(record.diffSize === undefined ? {} : { diffSize: record.diffSize }),
    compression,
    uidSet: [...record.uidSet],
    gidSet: [...record.gidSet],
    ...(mountLabel === undefined ? {} : { mountLabel }),
    flags: { ...flags },
    uidMap: record.uidMap.map(plainMap),
    gidMap: record.gidMap.map(plainMap),
    bigDataNames: [...record.bigDataNames],
    readOnly,
    ...(mount === undefined ? {} : { mountPoint: mount.path, mountCount: mount.count }),
  };
}

export function isIncomplete(record: LayerRecord): boolean {
  return record.flags.incomplete === true;
}

function plainMap({ containerId, hostId, size }: IdMap): IdMap {
  return { containerId, hostId, size };
}

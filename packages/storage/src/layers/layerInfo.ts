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

/** Absent facts are set one by one: a listing makes ten thousand of these, and spreads would take most of its time. */
export function layerInfo(record: LayerRecord, { readOnly = false, mount }: LayerInfoFacts = {}): LayerInfo {
  const info: { -readonly [Key in keyof LayerInfo]: LayerInfo[Key] } = {
    id: record.id,
    names: copyOf(record.names),
    created: record.created,
    compression: record.compression,
    uidSet: copyOf(record.uidSet),
    gidSet: copyOf(record.gidSet),
    flags: { ...record.flags },
    uidMap: copyOf(record.uidMap, plainMap),
    gidMap: copyOf(record.gidMap, plainMap),
    bigDataNames: copyOf(record.bigDataNames),
    readOnly,
  };
  const { parent, metadata, compressedDiffDigest, compressedSize, diffDigest, tocDigest, diffSize } = record;
  if (parent !== undefined) info.parent = parent;
  if (metadata !== undefined) info.metadata = metadata;
  if (compressedDiffDigest !== undefined) info.compressedDigest = compressedDiffDigest;
  if (compressedSize !== undefined) info.compressedSize = compressedSize;
  if (diffDigest !== undefined) info.diffID = diffDigest;
  if (tocDigest !== undefined) info.tocDigest = tocDigest;
  if (diffSize !== undefined) info.diffSize = diffSize;
  if (record.mountLabel !== undefined) info.mountLabel = record.mountLabel;
  if (mount !== undefined) {
    info.mountPoint = mount.path;
    info.mountCount = mount.count;
  }
  return info;
}

const NONE: readonly never[] = Object.freeze([]);

/** Most lists of most layers are empty: then there is one for all. */
function copyOf<T>(list: readonly T[], copy: (item: T) => T = (item) => item): readonly T[] {
  return list.length === 0 ? NONE : list.map(copy);
}

export function isIncomplete(record: LayerRecord): boolean {
  return record.flags.incomplete === true;
}

function plainMap({ containerId, hostId, size }: IdMap): IdMap {
  return { containerId, hostId, size };
}

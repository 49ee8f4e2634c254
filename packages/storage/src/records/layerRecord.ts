import type { Compression, Digest } from '@sediment/core';
import * as z from 'zod/mini';
import {
  compressionFromNumber,
  compressionSchema,
  compressionToNumber,
  flagsSchema,
  idMapsSchema,
  idSchema,
  optionalDigestSchema,
  optionalSizeSchema,
  optionalTextSchema,
  textsSchema,
  timeSchema,
  uintsSchema,
} from './fieldSchemas.ts';
import { type IdMap, idMapsFromJson, idMapsToJson } from './idMap.ts';
import { omitEmpty } from './omitEmpty.ts';
import { defineRecordFormat } from './recordFormat.ts';

/** A layer as `layers.json` and `volatile-layers.json` hold it. Sizes are in bytes. */
export interface LayerRecord {
  readonly id: string;
  readonly names: readonly string[];
  /** Layer id; absent for a base layer. */
  readonly parent?: string | undefined;
  readonly metadata?: string | undefined;
  /** SELinux label for mounting. */
  readonly mountLabel?: string | undefined;
  /** RFC 3339 text, see `goTime.ts`. */
  readonly created: string;
  /** Digest of the blob as it was handed in, and its size. */
  readonly compressedDiffDigest?: Digest | undefined;
  readonly compressedSize?: number | undefined;
  /** DiffID: digest of the uncompressed tar. */
  readonly diffDigest?: Digest | undefined;
  /** Digest of the table of contents; layers of partial pulls have it. */
  readonly tocDigest?: Digest | undefined;
  /** Size of the uncompressed tar; -1 when only the table of contents is known. */
  readonly diffSize?: number | undefined;
  /** As seen on the stream that was applied. */
  readonly compression: Compression;
  /** Sorted ids of all owners in the tar headers. */
  readonly uidSet: readonly number[];
  readonly gidSet: readonly number[];
  readonly flags: Readonly<Record<string, unknown>>;
  /** Ids that the content on disk was shifted to. */
  readonly uidMap: readonly IdMap[];
  readonly gidMap: readonly IdMap[];
  readonly bigDataNames: readonly string[];
  /** Keys this version does not know, written back behind the known ones. */
  readonly unknown: Readonly<Record<string, unknown>>;
}

const layerSchema = z.object({
  id: idSchema,
  names: textsSchema,
  parent: optionalTextSchema,
  metadata: optionalTextSchema,
  mountlabel: optionalTextSchema,
  created: timeSchema,
  'compressed-diff-digest': optionalDigestSchema,
  'compressed-size': optionalSizeSchema,
  'diff-digest': optionalDigestSchema,
  'toc-digest': optionalDigestSchema,
  'diff-size': optionalSizeSchema,
  compression: compressionSchema,
  uidset: uintsSchema,
  gidset: uintsSchema,
  flags: flagsSchema,
  uidmap: idMapsSchema,
  gidmap: idMapsSchema,
  'big-data-names': textsSchema,
});

/** `layers.json` and `volatile-layers.json`: keys in the order Go writes them. */
export const layerFormat = defineRecordFormat<LayerRecord, z.output<typeof layerSchema>>({
  kind: 'layer',
  schema: layerSchema,
  maps: ['flags'],
  fromJson: (json, unknown) => ({
    id: json.id,
    names: json.names,
    parent: json.parent,
    metadata: json.metadata,
    mountLabel: json.mountlabel,
    created: json.created,
    compressedDiffDigest: json['compressed-diff-digest'],
    compressedSize: json['compressed-size'],
    diffDigest: json['diff-digest'],
    tocDigest: json['toc-digest'],
    diffSize: json['diff-size'],
    compression: compressionFromNumber(json.compression),
    uidSet: json.uidset,
    gidSet: json.gidset,
    flags: json.flags,
    uidMap: idMapsFromJson(json.uidmap),
    gidMap: idMapsFromJson(json.gidmap),
    bigDataNames: json['big-data-names'],
    unknown,
  }),
  toJson: (record) => ({
    id: record.id,
    names: omitEmpty(record.names),
    parent: omitEmpty(record.parent),
    metadata: omitEmpty(record.metadata),
    mountlabel: omitEmpty(record.mountLabel),
    created: record.created,
    'compressed-diff-digest': omitEmpty(record.compressedDiffDigest),
    'compressed-size': omitEmpty(record.compressedSize),
    'diff-digest': omitEmpty(record.diffDigest),
    'toc-digest': omitEmpty(record.tocDigest),
    'diff-size': omitEmpty(record.diffSize),
    compression: omitEmpty(compressionToNumber(record.compression)),
    uidset: omitEmpty(record.uidSet),
    gidset: omitEmpty(record.gidSet),
    flags: omitEmpty(record.flags),
    uidmap: omitEmpty(idMapsToJson(record.uidMap)),
    gidmap: omitEmpty(idMapsToJson(record.gidMap)),
    'big-data-names': omitEmpty(record.bigDataNames),
  }),
  unknownOf: (record) => record.unknown,
});

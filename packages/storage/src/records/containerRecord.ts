import type { Digest } from '@sediment/core';
import * as z from 'zod/mini';
import {
  digestsSchema,
  flagsSchema,
  idMapsSchema,
  idSchema,
  optionalTextSchema,
  sizesSchema,
  textSchema,
  textsSchema,
  timeSchema,
} from './fieldSchemas.ts';
import { type IdMap, idMapsFromJson, idMapsToJson } from './idMap.ts';
import { omitEmpty } from './omitEmpty.ts';
import { defineRecordFormat } from './recordFormat.ts';

/** A container as `containers.json` and `volatile-containers.json` hold it. Sizes are in bytes. */
export interface ContainerRecord {
  readonly id: string;
  readonly names: readonly string[];
  /** Image id; empty when the container was made from none. */
  readonly image: string;
  /** Id of the writable layer. */
  readonly layer: string;
  /** JSON text of the engine. */
  readonly metadata?: string | undefined;
  readonly bigDataNames: readonly string[];
  /** By big data name; look up with `Object.hasOwn`, names are free text. */
  readonly bigDataSizes: Readonly<Record<string, number>>;
  readonly bigDataDigests: Readonly<Record<string, Digest>>;
  /** RFC 3339 text. */
  readonly created: string;
  /** Maps that were asked for. */
  readonly uidMap: readonly IdMap[];
  readonly gidMap: readonly IdMap[];
  /** `MountLabel`, `ProcessLabel`, `Volatile`, `MountOpts` steer later mounts. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Keys this version does not know, written back behind the known ones. */
  readonly unknown: Readonly<Record<string, unknown>>;
}

const containerSchema = z.object({
  id: idSchema,
  names: textsSchema,
  image: textSchema,
  layer: textSchema,
  metadata: optionalTextSchema,
  'big-data-names': textsSchema,
  'big-data-sizes': sizesSchema,
  'big-data-digests': digestsSchema,
  created: timeSchema,
  uidmap: idMapsSchema,
  gidmap: idMapsSchema,
  flags: flagsSchema,
});

/** `containers.json` and `volatile-containers.json`: keys in the order Go writes them. */
export const containerFormat = defineRecordFormat<ContainerRecord, z.output<typeof containerSchema>>({
  kind: 'container',
  schema: containerSchema,
  maps: ['big-data-sizes', 'big-data-digests', 'flags'],
  fromJson: (json, unknown) => ({
    id: json.id,
    names: json.names,
    image: json.image,
    layer: json.layer,
    metadata: json.metadata,
    bigDataNames: json['big-data-names'],
    bigDataSizes: json['big-data-sizes'],
    bigDataDigests: json['big-data-digests'],
    created: json.created,
    uidMap: idMapsFromJson(json.uidmap),
    gidMap: idMapsFromJson(json.gidmap),
    flags: json.flags,
    unknown,
  }),
  toJson: (record) => ({
    id: record.id,
    names: omitEmpty(record.names),
    image: record.image,
    layer: record.layer,
    metadata: omitEmpty(record.metadata),
    'big-data-names': omitEmpty(record.bigDataNames),
    'big-data-sizes': omitEmpty(record.bigDataSizes),
    'big-data-digests': omitEmpty(record.bigDataDigests),
    created: record.created,
    uidmap: omitEmpty(idMapsToJson(record.uidMap)),
    gidmap: omitEmpty(idMapsToJson(record.gidMap)),
    flags: omitEmpty(record.flags),
  }),
  unknownOf: (record) => record.unknown,
});

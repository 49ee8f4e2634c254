import type { Digest } from '@sediment/core';
import * as z from 'zod/mini';
import {
  digestsSchema,
  flagsSchema,
  idSchema,
  optionalDigestSchema,
  optionalTextSchema,
  sizesSchema,
  textsSchema,
  timeSchema,
} from './fieldSchemas.ts';
import { compareBytes } from './jsonWriter.ts';
import { omitEmpty } from './omitEmpty.ts';
import { defineRecordFormat } from './recordFormat.ts';

/** An image as `images.json` holds it. Sizes are in bytes. */
export interface ImageRecord {
  readonly id: string;
  /** Digest of the manifest. */
  readonly digest?: Digest | undefined;
  readonly names: readonly string[];
  /** Every name the image ever had, latest first. */
  readonly namesHistory: readonly string[];
  /** Id of the top layer; absent for an image without layers. */
  readonly layer?: string | undefined;
  /** Ids of copies of the top layer that were shifted to other ids. */
  readonly mappedLayers: readonly string[];
  /** JSON text of the image code. */
  readonly metadata?: string | undefined;
  readonly bigDataNames: readonly string[];
  /** By big data name; look up with `Object.hasOwn`, names are free text. */
  readonly bigDataSizes: Readonly<Record<string, number>>;
  readonly bigDataDigests: Readonly<Record<string, Digest>>;
  /** RFC 3339 text with the zone of the image config. */
  readonly created: string;
  readonly flags: Readonly<Record<string, unknown>>;
  /** Keys this version does not know, written back behind the known ones. */
  readonly unknown: Readonly<Record<string, unknown>>;
}

const imageSchema = z.object({
  id: idSchema,
  digest: optionalDigestSchema,
  names: textsSchema,
  'names-history': textsSchema,
  layer: optionalTextSchema,
  'mapped-layers': textsSchema,
  metadata: optionalTextSchema,
  'big-data-names': textsSchema,
  'big-data-sizes': sizesSchema,
  'big-data-digests': digestsSchema,
  created: timeSchema,
  flags: flagsSchema,
});

/** `images.json`: keys in the order Go writes them. */
export const imageFormat = defineRecordFormat<ImageRecord, z.output<typeof imageSchema>>({
  kind: 'image',
  schema: imageSchema,
  maps: ['big-data-sizes', 'big-data-digests', 'flags'],
  fromJson: (json, unknown) => ({
    id: json.id,
    digest: json.digest,
    names: json.names,
    namesHistory: json['names-history'],
    layer: json.layer,
    mappedLayers: json['mapped-layers'],
    metadata: json.metadata,
    bigDataNames: json['big-data-names'],
    bigDataSizes: json['big-data-sizes'],
    bigDataDigests: json['big-data-digests'],
    created: json.created,
    flags: json.flags,
    unknown,
  }),
  toJson: (record) => ({
    id: record.id,
    digest: omitEmpty(record.digest),
    names: omitEmpty(record.names),
    'names-history': omitEmpty(record.namesHistory),
    layer: omitEmpty(record.layer),
    'mapped-layers': omitEmpty(record.mappedLayers),
    metadata: omitEmpty(record.metadata),
    'big-data-names': omitEmpty(record.bigDataNames),
    'big-data-sizes': omitEmpty(record.bigDataSizes),
    'big-data-digests': omitEmpty(record.bigDataDigests),
    created: record.created,
    flags: omitEmpty(record.flags),
  }),
  unknownOf: (record) => record.unknown,
});

/**
 * Every digest the image can be found by: its own, then those of the big data items whose name
 * starts with `manifest` (`manifest-x` counts), each once.
 */
export function imageDigests(record: ImageRecord): Digest[] {
  const manifests = Object.keys(record.bigDataDigests)
    .filter((name) => name.startsWith('manifest'))
    .sort(compareBytes)
    .map((name) => record.bigDataDigests[name] as Digest);
  return [...new Set(record.digest === undefined ? manifests : [record.digest, ...manifests])];
}

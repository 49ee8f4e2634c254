import type { Compression } from '@sediment/core';
import type { ContainerInfo, IdMap, ImageInfo, LayerInfo } from '@sediment/storage';
import { sortedMap } from './json.ts';

/** Numbers by which records name a compression; none is left out. */
const COMPRESSION_NUMBERS: Readonly<Record<Compression, number>> = {
  none: 0,
  bzip2: 1,
  gzip: 2,
  xz: 3,
  zstd: 4,
};

type JsonValue = unknown;
type Fields = readonly (readonly [key: string, value: JsonValue])[];

/** The layer as `--json` prints it: keys in the order of the Go command, empty ones left out. */
export function layerJson(layer: LayerInfo): Record<string, JsonValue> {
  return {
    id: layer.id,
    ...present([
      ['names', layer.names],
      ['parent', layer.parent],
      ['metadata', layer.metadata],
      ['mountlabel', layer.mountLabel],
    ]),
    created: layer.created,
    ...present([
      ['compressed-diff-digest', layer.compressedDigest],
      ['compressed-size', layer.compressedSize],
      ['diff-digest', layer.diffID],
      ['toc-digest', layer.tocDigest],
      ['diff-size', layer.diffSize],
      ['compression', COMPRESSION_NUMBERS[layer.compression]],
      ['uidset', layer.uidSet],
      ['gidset', layer.gidSet],
      ['flags', sortedMap(layer.flags)],
      ['uidmap', idMapsJson(layer.uidMap)],
      ['gidmap', idMapsJson(layer.gidMap)],
      ['big-data-names', layer.bigDataNames],
    ]),
  };
}

/** The image as `--json` prints it. */
export function imageJson(image: ImageInfo): Record<string, JsonValue> {
  return {
    id: image.id,
    ...present([
      ['digest', image.digest],
      ['names', image.names],
      ['names-history', image.namesHistory],
      ['layer', image.layer],
      ['mapped-layers', image.mappedLayers],
      ['metadata', image.metadata],
      ...itemFields(image.bigData),
    ]),
    created: image.created,
    ...present([['flags', sortedMap(image.flags)]]),
  };
}

/** The container as `--json` prints it. */
export function containerJson(container: ContainerInfo): Record<string, JsonValue> {
  return {
    id: container.id,
    ...present([['names', container.names]]),
    image: container.image,
    layer: container.layer,
    ...present([['metadata', container.metadata], ...itemFields(container.bigData)]),
    created: container.created,
    ...present([
      ['uidmap', idMapsJson(container.uidMap)],
      ['gidmap', idMapsJson(container.gidMap)],
      ['flags', sortedMap(container.flags)],
    ]),
  };
}

interface Item {
  readonly name: string;
  readonly size?: number;
  readonly digest?: string;
}

function itemFields(items: readonly Item[]): Fields {
  const mapOf = (key: 'size' | 'digest') => {
    const known = items.filter((item) => item[key] !== undefined);
    return sortedMap(new Map(known.map((item) => [item.name, item[key]])));
  };
  return [
    ['big-data-names', items.map(({ name }) => name)],
    ['big-data-sizes', mapOf('size')],
    ['big-data-digests', mapOf('digest')],
  ];
}

function idMapsJson(maps: readonly IdMap[]): Record<string, number>[] {
  return maps.map(({ containerId, hostId, size }) => ({ container_id: containerId, host_id: hostId, size }));
}

/** The fields that are not empty, as Go's `omitempty` has it. */
function present(fields: Fields): Record<string, JsonValue> {
  const found: Record<string, JsonValue> = {};
  for (const [key, value] of fields) if (!isEmpty(value)) found[key] = value;
  return found;
}

function isEmpty(value: JsonValue): boolean {
  if (value === undefined || value === '' || value === 0 || value === false) return true;
  if (value instanceof Map) return value.size === 0;
  return Array.isArray(value) && value.length === 0;
}

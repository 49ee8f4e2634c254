import type { ImageInfo, Store } from '@sediment/storage';
import { formatSize } from '../output/bytes.ts';
import { formatAge } from '../output/time.ts';
import { idsOfUsers } from './idsOfUsers.ts';
import type { Listing } from './listing.ts';

/** A layer as `sediment layers --format json` prints it. */
export interface LayerRow {
  readonly id: string;
  readonly names: readonly string[];
  readonly parent: string | null;
  /** RFC 3339. */
  readonly created: string;
  /** Digest of the uncompressed tar, and its size in bytes. */
  readonly diffID: string | null;
  readonly diffSize: number | null;
  /** Digest and size in bytes of the blob that the layer came as. */
  readonly blobDigest: string | null;
  readonly blobSize: number | null;
  readonly compression: string;
  /** Ids of images that have the layer on top (or as a copy of that with other owners), and of containers. */
  readonly images: readonly string[];
  readonly containers: readonly string[];
  /** Where the layer is mounted now. */
  readonly mountPoint: string | null;
  /** Whether the layer is in an additional store, which is never written to. */
  readonly readOnly: boolean;
}

/** All layers, in the order of their creation, with names for the objects that use them. */
export async function listLayers(
  store: Pick<Store, 'images' | 'layers' | 'containers' | 'mounts'>,
): Promise<{ readonly rows: readonly LayerRow[]; readonly namesById: ReadonlyMap<string, string> }> {
  const layers = await store.layers.list();
  const images = await store.images.list();
  const containers = await store.containers.list();
  const imagesOn = idsOfUsers(images, layersUnder);
  const containersOn = idsOfUsers(containers, ({ layer }) => [layer]);
  const mountPoints = new Map((await store.mounts()).map(({ layer, path }) => [layer, path]));
  const rows = layers.map((layer) => ({
    id: layer.id,
    names: layer.names,
    parent: layer.parent ?? null,
    created: layer.created,
    diffID: layer.diffID ?? null,
    diffSize: layer.diffSize ?? null,
    blobDigest: layer.compressedDigest ?? null,
    blobSize: layer.compressedSize ?? null,
    compression: layer.compression,
    images: imagesOn.get(layer.id) ?? NOBODY,
    containers: containersOn.get(layer.id) ?? NOBODY,
    mountPoint: mountPoints.get(layer.id) ?? null,
    readOnly: layer.readOnly,
  }));
  const named = [...images, ...containers].filter(({ names }) => names.length > 0);
  return { rows, namesById: new Map(named.map(({ id, names }) => [id, names[0]])) };
}

const NOBODY: readonly string[] = [];

/** The layer that an image stands on, and the copies of it with other owners. */
function layersUnder({ layer, mappedLayers }: ImageInfo): readonly string[] {
  return layer === undefined ? mappedLayers : [layer, ...mappedLayers];
}

export function layerListing(now: number, namesById: ReadonlyMap<string, string>): Listing<LayerRow> {
  return {
    columns: [
      { title: 'LAYER ID' },
      { title: 'PARENT' },
      { title: 'CREATED' },
      { title: 'SIZE', align: 'right' },
      { title: 'TOP LAYER OF', shrinkTo: 12 },
    ],
    cells: (row, id) => [
      [
        id(row.id),
        row.parent === null ? '-' : id(row.parent),
        formatAge(row.created, now),
        formatSize(row.diffSize === null || row.diffSize < 0 ? undefined : row.diffSize),
        userNames(row, (user) => namesById.get(user) ?? id(user)),
      ],
    ],
  };
}

/** Most layers are no top layer. */
function userNames({ images, containers }: LayerRow, nameOf: (id: string) => string): string {
  if (images.length === 0 && containers.length === 0) return '';
  return [...images, ...containers].map(nameOf).join(', ');
}

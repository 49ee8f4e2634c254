import type { ImageInfo, LayerInfo, Store } from '@sediment/storage';
import { formatSize } from '../output/bytes.ts';
import { formatAge } from '../output/time.ts';
import { idsOfUsers } from './idsOfUsers.ts';
import { imageSize } from './imageSize.ts';
import type { KeptBlobsJson } from './keptBlobs.ts';
import type { Listing } from './listing.ts';

/** An image as `sediment images --format json` prints it. */
export interface ImageRow {
  readonly id: string;
  readonly names: readonly string[];
  readonly namesHistory: readonly string[];
  readonly digest: string | null;
  readonly digests: readonly string[];
  /** RFC 3339. */
  readonly created: string;
  /** Bytes; null when the size of a layer is not known. */
  readonly size: number | null;
  /** Id of the top layer. */
  readonly layer: string | null;
  /** Ids of the containers that use the image. */
  readonly containers: readonly string[];
  /** Whether the image is in an additional store, which is never written to. */
  readonly readOnly: boolean;
  /** What is kept of it as it came. */
  readonly keptBlobs: KeptBlobsJson | null;
}

/**
 * All images, those created last first.
 *
 * @param kept what is kept of them, which is not looked for if it is not shown
 */
export async function listImages(
  store: Pick<Store, 'images' | 'layers' | 'containers'>,
  kept: ReadonlyMap<string, KeptBlobsJson> = new Map(),
): Promise<readonly ImageRow[]> {
  const images = await store.images.list();
  const layers = new Map((await store.layers.list()).map((layer) => [layer.id, layer]));
  const containers = idsOfUsers(await store.containers.list(), ({ image }) => [image]);
  return images
    .map((image) => imageRow(image, { layers, containers, kept }))
    .sort((a, b) => Date.parse(b.created) - Date.parse(a.created));
}

/** What a row tells of besides the image. */
interface Surroundings {
  readonly layers: ReadonlyMap<string, LayerInfo>;
  /** Ids of containers by their image. */
  readonly containers: ReadonlyMap<string, readonly string[]>;
  readonly kept: ReadonlyMap<string, KeptBlobsJson>;
}

function imageRow(image: ImageInfo, { layers, containers, kept }: Surroundings): ImageRow {
  return {
    id: image.id,
    names: image.names,
    namesHistory: image.namesHistory,
    digest: image.digest ?? null,
    digests: image.digests,
    created: image.created,
    size: imageSize(image, layers) ?? null,
    layer: image.layer ?? null,
    containers: containers.get(image.id) ?? [],
    readOnly: image.readOnly,
    keptBlobs: kept.get(image.id) ?? null,
  };
}

/** One line for each name of an image, as docker and podman show it. */
export function imageListing(now: number): Listing<ImageRow> {
  return {
    columns: [
      { title: 'REPOSITORY', shrinkTo: 16, cut: 'middle' },
      { title: 'TAG', shrinkTo: 8 },
      { title: 'IMAGE ID' },
      { title: 'CREATED' },
      { title: 'SIZE', align: 'right' },
    ],
    cells: (row, id) =>
      (row.names.length === 0 ? [undefined] : row.names).map((name) => [
        ...splitName(name),
        id(row.id),
        formatAge(row.created, now),
        formatSize(row.size ?? undefined),
      ]),
  };
}

/** Repository and tag of a complete name; a digest stands where the tag would. */
function splitName(name: string | undefined): [string, string] {
  if (name === undefined) return ['<none>', '<none>'];
  const at = name.indexOf('@');
  const cut = at === -1 ? name.lastIndexOf(':') : at;
  return cut <= name.lastIndexOf('/') ? [name, '<none>'] : [name.slice(0, cut), name.slice(cut + 1)];
}

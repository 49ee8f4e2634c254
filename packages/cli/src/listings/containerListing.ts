import type { Store } from '@sediment/storage';
import { formatAge } from '../output/time.ts';
import type { Listing } from './listing.ts';

/** A container as `sediment containers --format json` prints it. */
export interface ContainerRow {
  readonly id: string;
  readonly names: readonly string[];
  /** Id of the image, or null for a container without one. */
  readonly image: string | null;
  readonly imageNames: readonly string[];
  /** Id of the writable layer. */
  readonly layer: string;
  /** RFC 3339. */
  readonly created: string;
  /** Where the container is mounted now. */
  readonly mountPoint: string | null;
}

/** All containers, whichever program made them, those created last first. */
export async function listContainers(
  store: Pick<Store, 'images' | 'containers' | 'mounts'>,
): Promise<readonly ContainerRow[]> {
  const containers = await store.containers.list();
  const imageNames = new Map((await store.images.list()).map(({ id, names }) => [id, names]));
  const mountPoints = new Map((await store.mounts()).map(({ layer, path }) => [layer, path]));
  return containers
    .map((container) => ({
      id: container.id,
      names: container.names,
      image: container.image === '' ? null : container.image,
      imageNames: imageNames.get(container.image) ?? [],
      layer: container.layer,
      created: container.created,
      mountPoint: mountPoints.get(container.layer) ?? null,
    }))
    .sort((a, b) => Date.parse(b.created) - Date.parse(a.created));
}

export function containerListing(now: number): Listing<ContainerRow> {
  return {
    columns: [
      { title: 'CONTAINER ID' },
      { title: 'NAMES', shrinkTo: 8 },
      { title: 'IMAGE', shrinkTo: 16, cut: 'middle' },
      { title: 'CREATED' },
      { title: 'MOUNTED' },
    ],
    cells: (row, id) => [
      [
        id(row.id),
        row.names.join(', '),
        row.imageNames[0] ?? (row.image === null ? '-' : id(row.image)),
        formatAge(row.created, now),
        row.mountPoint === null ? 'no' : 'yes',
      ],
    ],
  };
}

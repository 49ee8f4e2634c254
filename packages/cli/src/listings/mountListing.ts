import type { Store } from '@sediment/storage';
import { shortId } from '../output/shortId.ts';
import { formatTable } from '../output/table.ts';

/** A mount as `sediment mount --format json` prints it. */
export interface MountRow {
  /** The container whose layer it is; null for a layer that was mounted by itself. */
  readonly container: string | null;
  readonly names: readonly string[];
  readonly layer: string;
  readonly path: string;
  /** How many programs have mounted it and not yet unmounted. */
  readonly count: number;
}

/** What is mounted now, by whichever program. */
export async function listMounts(store: Pick<Store, 'containers' | 'mounts'>): Promise<readonly MountRow[]> {
  const containers = new Map((await store.containers.list()).map((each) => [each.layer, each]));
  return (await store.mounts()).map(({ layer, path, count }) => ({
    container: containers.get(layer)?.id ?? null,
    names: containers.get(layer)?.names ?? [],
    layer,
    path,
    count,
  }));
}

export function mountsTable(rows: readonly MountRow[], width?: number): string {
  const cells = rows.map(({ container, names, layer, path }) => [
    shortId(container ?? layer),
    container === null ? '(layer)' : names.join(', '),
    path,
  ]);
  const columns = [
    { title: 'CONTAINER ID' },
    { title: 'NAMES', shrinkTo: 8 },
    { title: 'MOUNT POINT', shrinkTo: 16, cut: 'middle' },
  ] as const;
  return formatTable(columns, cells, width);
}

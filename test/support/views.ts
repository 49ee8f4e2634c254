import { podman } from './peers.ts';
import { sedimentJson } from './sediment.ts';
import type { StoreRoot } from './storeRoot.ts';

/** What a program says of a store's images: their ids with their names, both sorted. */
export type ImagesView = Array<{ id: string; names: string[] }>;

interface PodmanImage {
  Id: string;
  Names?: string[] | null;
}

interface PodmanContainer {
  Id: string;
  Names: string[];
}

/** The images as podman lists them, those included that others were made from. */
export async function podmanImages(store: StoreRoot): Promise<ImagesView> {
  const { stdout } = await podman(store, ['images', '--all', '--format', 'json']);
  // podman prints an image once for each of its names
  const byId = new Map((JSON.parse(stdout) as PodmanImage[]).map(({ Id, Names }) => [Id, Names ?? []]));
  return sorted([...byId].map(([id, names]) => ({ id, names })));
}

/** The images as `sediment images` lists them. */
export async function sedimentImages(store: StoreRoot): Promise<ImagesView> {
  return sorted(await sedimentJson<ImagesView>(store, ['images']));
}

/** The containers as podman lists them, those of other programs included: names by id. */
export async function podmanContainers(store: StoreRoot): Promise<Record<string, string[]>> {
  const { stdout } = await podman(store, ['ps', '--all', '--external', '--format', 'json']);
  return Object.fromEntries((JSON.parse(stdout) as PodmanContainer[]).map(({ Id, Names }) => [Id, Names]));
}

/** The containers as `sediment containers` lists them: names by id. */
export async function sedimentContainers(store: StoreRoot): Promise<Record<string, string[]>> {
  const rows = await sedimentJson<Array<{ id: string; names: string[] }>>(store, ['containers']);
  return Object.fromEntries(rows.map(({ id, names }) => [id, names]));
}

function sorted(images: ImagesView): ImagesView {
  return images
    .map(({ id, names }) => ({ id, names: [...names].sort() }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

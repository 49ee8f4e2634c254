import type { ContainerRecord } from '../records/containerRecord.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { TableView } from '../tables/recordTable.ts';

export interface LayerUsers {
  readonly layers: TableView<LayerRecord>;
  readonly containers: TableView<ContainerRecord>;
  /** The images of all writable stores. */
  readonly images: readonly ImageRecord[];
}

/**
 * The layers that nothing needs but this image (given as its records, where several stores have it): the
 * mapped copies of the top layer, then from the top layer down each layer until one that a container, another
 * image or another layer needs.
 */
export function layersOnlyOf(records: readonly ImageRecord[], users: LayerUsers): LayerRecord[] {
  const { layers } = users;
  const ids = new Set(records.map(({ id }) => id));
  const needed = neededByOthers(ids, users);
  const children = childrenByParent(layers.all());
  const doomed = new Map<string, LayerRecord>();
  const doom = (id: string | undefined): LayerRecord | undefined => {
    const layer = id === undefined ? undefined : layers.byId(id);
    if (layer === undefined || needed.has(layer.id)) return undefined;
    if (children.get(layer.id)?.some((child) => !doomed.has(child))) return undefined;
    doomed.set(layer.id, layer);
    return layer;
  };
  for (const { layer: top, mappedLayers } of records) {
    for (const id of mappedLayers) doom(id);
    // A copy that has to stay may be stacked on the top layer, though its record names another parent.
    if (mappedLayers.some((id) => layers.byId(id) !== undefined && !doomed.has(id))) continue;
    for (let layer = doom(top); layer !== undefined; ) layer = doom(layer.parent);
  }
  return [...doomed.values()];
}

function neededByOthers(ids: ReadonlySet<string>, { containers, images }: LayerUsers): Set<string> {
  const needed = new Set(containers.all().map((container) => container.layer));
  for (const { id, layer, mappedLayers } of images) {
    if (ids.has(id)) continue;
    for (const used of [layer, ...mappedLayers]) if (used !== undefined) needed.add(used);
  }
  return needed;
}

function childrenByParent(layers: readonly LayerRecord[]): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>();
  for (const { id, parent } of layers) {
    if (parent === undefined) continue;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [id]);
    else siblings.push(id);
  }
  return children;
}

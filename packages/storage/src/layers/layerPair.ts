import type { MappedLayer } from '../drivers/diff/driverDiff.ts';
import { IdMappings, NO_MAPPINGS } from '../idmaps/idMappings.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { Placed, TableView } from '../tables/recordTable.ts';
import { locateLayer } from './findLayer.ts';

/** What a layer is compared with. */
export interface ComparedLayers {
  /** Ids of the layer's own content. */
  readonly maps: IdMappings;
  /** Absent for a base layer that is compared with nothing. */
  readonly base: MappedLayer | undefined;
  /** Whether {@link base} is the layer's parent, or none when it has none. */
  readonly isParent: boolean;
}

/**
 * A layer and the one to compare it with: the parent, when `from` is absent, empty or unknown. A base layer
 * has no parent that could stand in for an unknown one.
 *
 * @throws {StorageError} `LAYER_UNKNOWN`
 */
export function findPair(
  view: TableView<LayerRecord>,
  idOrName: string,
  from: string | undefined,
): Placed<LayerRecord> & ComparedLayers {
  const placed = locateLayer(view, idOrName);
  const { record } = placed;
  const baseId = baseOf(view, record, from);
  const base = baseId === undefined ? undefined : { id: baseId, maps: mapsOf(view.locateId(baseId)?.record) };
  return { ...placed, maps: IdMappings.of(record), base, isParent: baseId === record.parent };
}

function baseOf(
  view: TableView<LayerRecord>,
  { parent }: LayerRecord,
  from: string | undefined,
): string | undefined {
  if (from === undefined || from === '') return parent;
  const wanted = parent === undefined ? locateLayer(view, from) : view.locate(from);
  return wanted?.record.id ?? parent;
}

/** A parent that was lost has no maps to tell; the driver says that it is lost. */
function mapsOf(record: LayerRecord | undefined): IdMappings {
  return record === undefined ? NO_MAPPINGS : IdMappings.of(record);
}

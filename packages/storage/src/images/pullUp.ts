import { type BigDataItem, recordedDigest } from '../items/itemRecord.ts';
import type { ImageRecord } from '../records/imageRecord.ts';
import type { Placed, TableView } from '../tables/recordTable.ts';
import { readImageItem } from './imageItems.ts';

/** A record for the writable store, and the items that belong to it. */
export interface PulledUpImage {
  readonly record: ImageRecord;
  readonly items: readonly BigDataItem[];
}

/**
 * The copy of an image of an additional store that the writable store shall have, so that it can be
 * changed there. Names stay with images of the writable store; mapped layers belong to the other store.
 */
export function pullUp(view: TableView<ImageRecord>, { record }: Placed<ImageRecord>): PulledUpImage {
  const inUse = new Set(view.all().flatMap(({ names }) => names));
  const items = record.bigDataNames.map((name) => {
    const digest = recordedDigest(record, name);
    return { name, bytes: readImageItem(view, record.id, name), ...(digest === undefined ? {} : { digest }) };
  });
  return {
    record: {
      ...record,
      names: record.names.filter((name) => !inUse.has(name)),
      mappedLayers: [],
      bigDataNames: [],
      bigDataSizes: {},
      bigDataDigests: {},
    },
    items,
  };
}

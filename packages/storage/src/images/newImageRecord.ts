import { nowGoTime } from '../records/goTime.ts';
import type { ImageRecord } from '../records/imageRecord.ts';

/** A record of an image made now, with nothing set but the fields given. */
export function newImageRecord(fields: Partial<ImageRecord> & { readonly id: string }): ImageRecord {
  return {
    names: [],
    namesHistory: [],
    mappedLayers: [],
    bigDataNames: [],
    bigDataSizes: {},
    bigDataDigests: {},
    created: nowGoTime(),
    flags: {},
    unknown: {},
    ...fields,
  };
}

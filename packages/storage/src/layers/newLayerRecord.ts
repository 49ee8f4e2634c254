import { nowGoTime } from '../records/goTime.ts';
import type { LayerRecord } from '../records/layerRecord.ts';

/** A complete record of a layer made now, with nothing set but the fields given. */
export function newLayerRecord(fields: Partial<LayerRecord> & { readonly id: string }): LayerRecord {
  return {
    names: [],
    created: nowGoTime(),
    compression: 'none',
    uidSet: [],
    gidSet: [],
    flags: {},
    uidMap: [],
    gidMap: [],
    bigDataNames: [],
    unknown: {},
    ...fields,
  };
}

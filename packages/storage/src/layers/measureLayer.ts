import { StorageError } from '@sediment/core';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';

export async function measureLayer(_context: StoreContext, { id }: LayerRecord): Promise<number> {
  throw new StorageError('SIZE_UNKNOWN', `layer ${id}: size is not known`, { object: id });
}

import type { LayerRecord } from '../records/layerRecord.ts';
import { randomId } from '../records/randomId.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableWriter } from '../tables/recordTable.ts';
import { asLastSaved, type LayerRemover } from './layerRemover.ts';
import { newLayerRecord } from './newLayerRecord.ts';

export interface CreateLayerRequest {
  readonly context: StoreContext;
  readonly writer: TableWriter<LayerRecord>;
  /** Takes away what a failed creation leaves. */
  readonly remover: LayerRemover;
  readonly parent: string | undefined;
  readonly mountLabel: string | undefined;
}

/** Makes an empty read-write layer for a container, under the held layers lock; returns its record. */
export async function createLayer(request: CreateLayerRequest): Promise<LayerRecord> {
  const { context, writer, remover, parent, mountLabel } = request;
  const id = randomId((used) => writer.byId(used) !== undefined);
  const record = newLayerRecord({ id, parent, mountLabel });
  writer.put({ ...record, flags: { incomplete: true } });
  await writer.save();
  try {
    context.driver.create(record.id, { ...(parent === undefined ? {} : { parent }), readWrite: true });
    writer.put(record);
    await writer.save();
  } catch (error) {
    await remover.takeBack(writer, asLastSaved([record], error));
    throw error;
  }
  return record;
}

import type { LayerRecord } from '../records/layerRecord.ts';
import type { TempDir } from '../staging/tempDirRoot.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableWriter } from '../tables/recordTable.ts';
import type { LayerExpectation, UnpackResult } from '../unpack/unpackJob.ts';
import { findLayer } from './findLayer.ts';
import { discardTempDirs } from './layerRemover.ts';
import { factsOf, placeTarSplit, unpackInto } from './unpackInto.ts';

export interface ApplyDiffOptions {
  /** What is known about the stream; each one is verified. */
  readonly expect?: LayerExpectation;
  readonly signal?: AbortSignal;
}

/**
 * Unpacks a stream over the content of a layer, under the layers lock. The record then tells of this stream
 * alone. A failure leaves what was unpacked so far.
 *
 * @returns the bytes of file content that were written
 * @throws {StorageError} `LAYER_UNKNOWN`, the codes of unpacking, `ABORTED`
 */
export async function applyDiff(
  context: StoreContext,
  idOrName: string,
  diff: AsyncIterable<Uint8Array>,
  { expect, signal }: ApplyDiffOptions = {},
): Promise<number> {
  const temps: TempDir[] = [];
  const apply = async (writer: TableWriter<LayerRecord>): Promise<number> => {
    const layer = findLayer(writer, idOrName);
    const metadata = context.layerTemp.create();
    temps.push(metadata);
    const tarSplit = metadata.stageAddition();
    const [root] = context.driver.contentDirectories(layer.id) as [string];
    const input = { what: `layer ${layer.id}`, diff, signal, ...(expect === undefined ? {} : { expect }) };
    const result = await unpackInto(context, input, { root, tarSplit, idMaps: layer });
    return await recordDiff(context, writer, { layer, tarSplit, result });
  };
  try {
    return await context.layers.write(apply, signal === undefined ? {} : { signal });
  } finally {
    await discardTempDirs(context, temps);
  }
}

export interface AppliedDiff {
  readonly layer: LayerRecord;
  /** The finished tar-split, in staging. */
  readonly tarSplit: string;
  readonly result: UnpackResult;
}

/** Records that a layer has the content of a stream; returns the bytes of file content. */
export async function recordDiff(
  context: StoreContext,
  writer: TableWriter<LayerRecord>,
  { layer, tarSplit, result }: AppliedDiff,
): Promise<number> {
  placeTarSplit(context, tarSplit, layer.id);
  writer.put({ ...layer, ...factsOf(result), tocDigest: undefined });
  await writer.save();
  return result.treeBytes;
}

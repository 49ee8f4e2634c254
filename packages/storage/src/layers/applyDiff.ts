import { StorageError } from '@sediment/core';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { TempDir } from '../staging/tempDirRoot.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { TableView, TableWriter } from '../tables/recordTable.ts';
import type { LayerExpectation, UnpackResult } from '../unpack/unpackJob.ts';
import { findLayer } from './findLayer.ts';
import { imageBarrier } from './layerBarriers.ts';
import { discardTempDirs } from './layerRemover.ts';
import { spoolDiff } from './spoolDiff.ts';
import { type DiffInput, factsOf, placeTarSplit, unpackInto } from './unpackInto.ts';

export interface ApplyDiffOptions {
  /** What is known about the stream; each one is verified. */
  readonly expect?: LayerExpectation;
  readonly signal?: AbortSignal;
}

/**
 * Unpacks a stream into a layer. The record then tells of this stream alone. Into an empty layer (overlay) it
 * is unpacked without a lock, and a failure changes nothing; else it is read to its end first, and unpacked under
 * the layers lock, over what is there, and what was unpacked before a failure stays.
 *
 * @returns the bytes of file content that were written
 * @throws {StorageError} `LAYER_UNKNOWN`, `LAYER_NOT_EMPTY` when it was filled meanwhile, the codes of
 *   unpacking, `ABORTED`
 */
export async function applyDiff(
  context: StoreContext,
  idOrName: string,
  diff: AsyncIterable<Uint8Array>,
  options: ApplyDiffOptions = {},
): Promise<number> {
  const { signal } = options;
  const look = (view: TableView<LayerRecord>) => {
    const found = findLayer(view, idOrName);
    return { layer: found, isEmpty: context.driver.isReplaceable(found.id) };
  };
  const { layer, isEmpty } = await context.layers.read(look, { signal });
  const input = { ...options, what: `layer ${layer.id}`, diff };
  return isEmpty ? await applyStaged(context, layer, input) : await applyInPlace(context, layer.id, input);
}

/**
 * Unpacks a stream in staging, then makes it the content of a layer that must still be empty.
 *
 * @throws {StorageError} see {@link applyDiff}
 */
export async function applyStaged(
  context: StoreContext,
  layer: LayerRecord,
  input: DiffInput,
): Promise<number> {
  const { driver } = context;
  return await withTempDirs(context, async (temps) => {
    const home = driver.placeOf(layer.id) === 'images' ? context.imageContentTemp : context.contentTemp;
    const content = home.create();
    temps.push(content);
    const metadata = context.layerTemp.create();
    temps.push(metadata);
    const tree = content.stageAddition();
    const tarSplit = metadata.stageAddition();
    const parent = layer.parent === undefined ? {} : { parent: { id: layer.parent } };
    const base = driver.prepareStaged(tree, parent);
    const result = await context.disk.withBarrier(
      imageBarrier(context, [content.path, metadata.path]),
      (barrier) => unpackInto(context, input, { root: tree, base, tarSplit, idMaps: layer, barrier }),
    );
    return await context.layers.write(
      async (writer) => {
        const now = findLayer(writer, layer.id);
        refuseContent(context, now);
        driver.replaceContent(tree, now.id);
        return await recordDiff(context, writer, { layer: now, tarSplit, result });
      },
      { signal: input.signal },
    );
  });
}

/** @throws {StorageError} `LAYER_NOT_EMPTY` */
export function refuseContent({ driver }: StoreContext, { id }: LayerRecord): void {
  if (driver.isReplaceable(id)) return;
  throw new StorageError('LAYER_NOT_EMPTY', `layer ${id} has content already, or is mounted`, {
    object: id,
    hint: 'make a new layer and fill that one',
  });
}

async function applyInPlace(context: StoreContext, layerId: string, input: DiffInput): Promise<number> {
  return await withTempDirs(context, async (temps) => {
    const metadata = context.layerTemp.create();
    temps.push(metadata);
    const spooled = await spoolDiff(context, input, metadata.stageAddition());
    const unpack = async (writer: TableWriter<LayerRecord>) => {
      const layer = findLayer(writer, layerId);
      const tarSplit = metadata.stageAddition();
      const [root] = context.driver.contentDirectories(layer.id) as [string];
      const result = await context.disk.withBarrier(imageBarrier(context, [root, metadata.path]), (barrier) =>
        unpackInto(context, spooled, { root, tarSplit, idMaps: layer, barrier }),
      );
      return await recordDiff(context, writer, { layer, tarSplit, result });
    };
    return await context.layers.write(unpack, { signal: input.signal });
  });
}

interface AppliedDiff {
  readonly layer: LayerRecord;
  /** The finished tar-split, in staging. */
  readonly tarSplit: string;
  readonly result: UnpackResult;
}

/** Records that a layer has the content of a stream; returns the bytes of file content. */
async function recordDiff(
  context: StoreContext,
  writer: TableWriter<LayerRecord>,
  { layer, tarSplit, result }: AppliedDiff,
): Promise<number> {
  placeTarSplit(context, tarSplit, layer.id);
  writer.put({ ...layer, ...factsOf(result), tocDigest: undefined });
  await writer.save();
  return result.treeBytes;
}

async function withTempDirs<T>(context: StoreContext, fn: (temps: TempDir[]) => Promise<T>): Promise<T> {
  const temps: TempDir[] = [];
  try {
    return await fn(temps);
  } finally {
    await discardTempDirs(context, temps);
  }
}

import { chmodSync, renameSync } from 'node:fs';
import { wrapSystemError } from '@sediment/core';
import type { Barrier } from '../durability/barrier.ts';
import type { IdMapLists } from '../idmaps/idMappings.ts';
import type { LayerRecord } from '../records/layerRecord.ts';
import type { StoreContext } from '../store/storeContext.ts';
import type { LayerExpectation, UnpackResult } from '../unpack/unpackJob.ts';

/** A layer's bytes as a stream, compressed or not. */
export interface DiffInput {
  /** For messages, such as `layer abc…`. */
  readonly what: string;
  readonly diff: AsyncIterable<Uint8Array>;
  readonly expect?: LayerExpectation;
  readonly signal?: AbortSignal | undefined;
}

export interface UnpackTarget {
  /** An existing directory. */
  readonly root: string;
  /** As {@link UnpackTree.base}. */
  readonly base?: string | undefined;
  /** A path for the tar-split, in a staging directory beside the layer records. */
  readonly tarSplit: string;
  readonly idMaps: IdMapLists;
  /** Settled in the end. */
  readonly barrier: Barrier;
}

/**
 * Unpacks a stream in a worker thread, and makes its tar-split. Both are on the disk afterwards, if the policy asks for it.
 *
 * @throws {StorageError} the codes of `runUnpackJob`; what `diff` throws
 */
export async function unpackInto(
  context: StoreContext,
  { what, diff, expect = {}, signal }: DiffInput,
  { root, base, tarSplit, idMaps, barrier }: UnpackTarget,
): Promise<UnpackResult> {
  const pool = await context.unpackPool();
  const { uidMap, gidMap } = idMaps;
  const tree = {
    root,
    ...(base === undefined ? {} : { base }),
    policy: context.driver.unpack,
    uidMap: plain(uidMap),
    gidMap: plain(gidMap),
  };
  const result = await pool.run(
    { what, expect, tree, tarSplit: { path: tarSplit }, sync: barrier.tracksFiles },
    { input: () => diff, signal },
  );
  for (const warning of result.warnings) context.onWarning(warning);
  await barrier.settle([], signal);
  return result;
}

/** Moves a finished tar-split to its place. */
export function placeTarSplit({ paths }: StoreContext, staged: string, layerId: string): void {
  const path = paths.tarSplit(layerId);
  try {
    chmodSync(staged, 0o600);
    renameSync(staged, path);
  } catch (error) {
    throw wrapSystemError(error, `layer ${layerId}: moving its tar-split file to ${path}`, 'IO', { path });
  }
}

/** What a record knows of the stream that filled its layer. */
export function factsOf(result: UnpackResult): Partial<LayerRecord> {
  const { compressedDigest, compressedSize, diffDigest, diffSize, compression, uidSet, gidSet } = result;
  return {
    compressedDiffDigest: compressedDigest,
    ...{ compressedSize, diffDigest, diffSize, compression, uidSet, gidSet },
  };
}

/** Ranges alone cross a thread border; unknown keys of a record need not. */
function plain(maps: IdMapLists['uidMap']): IdMapLists['uidMap'] {
  return maps.map(({ containerId, hostId, size }) => ({ containerId, hostId, size }));
}

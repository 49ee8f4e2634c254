import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { digestAlgorithm, digestHex } from '@sediment/core';
import type { PlannedLayer } from '../layers/addChain.ts';
import type { StorePaths } from '../store/storePaths.ts';
import { assertRoom } from './assertRoom.ts';
import { leastPlainSize } from './leastPlainSize.ts';

/**
 * How much of a tar becomes files at least. The rest are headers and padding; but then a file system rounds files
 * up. Layers that consist of links and empty files alone could do with less.
 */
const TREE_SHARE = 0.8;
/** How much of a tar its tar-split takes at least. */
const TAR_SPLIT_SHARE = 0.0005;

export interface LayersRoomRequest {
  readonly paths: StorePaths;
  readonly layers: readonly PlannedLayer[];
  /** Whether their blobs are kept, too. */
  readonly keepBlobs?: boolean;
}

/**
 * Refuses layers that surely do not fit, before anything is unpacked.
 *
 * @throws {StorageError} `NO_SPACE`
 */
export function assertRoomForLayers({ paths, layers, keepBlobs = false }: LayersRoomRequest): void {
  const tars = sum(layers.map(leastSizeOfTar));
  const kept = keepBlobs ? sum(layers.map((layer) => sizeToKeep(paths, layer))) : 0;
  const needs = new Map<number, { directory: string; bytes: number }>();
  for (const [directory, bytes] of [
    [paths.imageDriverHome, tars * TREE_SHARE],
    [paths.layers, tars * TAR_SPLIT_SHARE],
    [paths.graphRoot, kept],
  ] as const) {
    const device = statSync(directory, { throwIfNoEntry: false })?.dev;
    if (device === undefined) continue;
    const others = needs.get(device)?.bytes ?? 0;
    needs.set(device, { directory, bytes: others + bytes });
  }
  const what = nameOf(layers.length, keepBlobs);
  for (const { directory, bytes } of needs.values()) {
    assertRoom({ directory, bytes: Math.floor(bytes), what });
  }
}

/** A stream cannot be looked into. */
function leastSizeOfTar({ blob, size = 0 }: PlannedLayer): number {
  return typeof blob === 'function' ? size : leastPlainSize(blob);
}

function sizeToKeep({ keptLayout }: StorePaths, { blob, size, digest }: PlannedLayer): number {
  if (digest !== undefined) {
    const path = join(keptLayout, 'blobs', digestAlgorithm(digest), digestHex(digest));
    if (existsSync(path)) return 0;
  }
  return typeof blob === 'function' ? (size ?? 0) : blob.length;
}

function nameOf(count: number, keepBlobs: boolean): string {
  if (count === 1) return keepBlobs ? '1 layer and its blob' : '1 layer';
  return `${count} layers${keepBlobs ? ' and their blobs' : ''}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

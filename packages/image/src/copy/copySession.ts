import { StorageError } from '@sediment/core';
import type { ImageDestination } from '../destinations/imageDestination.ts';
import type { LayerSource } from '../sources/imageSource.ts';
import type { CopiedBlob, CopyEvent } from './copyEvents.ts';
import type { CopyPlan } from './copyOptions.ts';

/** The copy of one or several images into one destination. */
export interface CopySession {
  readonly destination: ImageDestination;
  readonly plan: CopyPlan;
  /** How many images are copied. */
  readonly total: number;
  /**
   * What was put before, by what it was made of: images share layers, and one that is written anew has no digest until
   * that is done.
   */
  readonly written: Map<string, Promise<CopiedBlob>>;
}

export function newSession(destination: ImageDestination, plan: CopyPlan, total: number): CopySession {
  return { destination, plan, total, written: new Map() };
}

/** Copies what has the key once; later it is there. What has failed may be tried again in another way. */
export async function once(
  { written }: CopySession,
  key: string,
  copy: () => Promise<CopiedBlob>,
): Promise<CopiedBlob> {
  const before = written.get(key);
  if (before !== undefined) return { ...(await before), copied: 'present' };
  const copying = copy();
  written.set(key, copying);
  try {
    return await copying;
  } catch (error) {
    written.delete(key);
    throw error;
  }
}

/** Where a blob is copied: for messages and events. */
export interface BlobPlace {
  readonly image: number;
  readonly index: number;
  /** Such as `layer 2 (sha256:…) of app.tar`. */
  readonly what: string;
}

const PROGRESS_BYTES = 1024 * 1024;

/** Tells how far the reading of a layer is. */
export function reporting(
  open: LayerSource['open'],
  { image, index }: BlobPlace,
  onProgress: ((event: CopyEvent) => void) | undefined,
): LayerSource['open'] {
  if (onProgress === undefined) return open;
  return async function* (signal) {
    let read = 0;
    let reported = 0;
    for await (const chunk of open(signal)) {
      read += chunk.length;
      if (read - reported >= PROGRESS_BYTES) {
        reported = read;
        onProgress({ type: 'layer-progress', image, index, read });
      }
      yield chunk;
    }
  };
}

/** @throws {StorageError} `ABORTED` once the signal was given */
export function throwIfCopyAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw new StorageError('ABORTED', 'the copy was aborted', { cause: signal.reason });
}

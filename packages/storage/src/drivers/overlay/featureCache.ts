import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errnoCode } from '@sediment/core';
import { writeExactFile } from '../exactModes.ts';

export interface FeatureResult {
  readonly supported: boolean;
  /** Why not; empty if nobody knows. */
  readonly text: string;
  /** What is found now need not be true of this host for good. */
  readonly passing?: boolean;
}

const MODE = 0o644;

/**
 * Results of probes, kept in the run root until the host restarts. One empty file per result, named
 * `<feature>-true` or `<feature>-false`; the latter may hold the reason. Shared with containers/storage
 * (`drivers/overlay`, `cachedFeatureCheck`).
 */
export class FeatureCache {
  /** Where the results are. */
  readonly directory: string;

  constructor(directory: string) {
    this.directory = directory;
  }

  get(feature: string): FeatureResult | undefined {
    for (const supported of [true, false]) {
      const path = this.path(feature, supported);
      if (!this.#canStore(feature) || !existsSync(path)) continue;
      try {
        return { supported, text: readFileSync(path, 'utf8') };
      } catch (error) {
        if (errnoCode(error) !== 'ENOENT') throw error;
      }
    }
    return undefined;
  }

  record(feature: string, { supported, text, passing = false }: FeatureResult): void {
    if (!passing && this.#canStore(feature)) writeExactFile(this.path(feature, supported), text, MODE);
  }

  path(feature: string, supported: boolean): string {
    return join(this.directory, `${feature}-${supported}`);
  }

  /** Mount options are part of some names and may be no file name. */
  #canStore(feature: string): boolean {
    return !feature.includes('/') && Buffer.byteLength(feature) < 250;
  }
}

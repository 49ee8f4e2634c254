import { type Platform, StorageError, type WarningHandler } from '@sediment/core';
import type { BlobInfoCache } from '../blobInfoCache/blobInfoCache.ts';
import type { LayerCompression } from '../documents/layerType.ts';
import { parsePlatform } from '../platforms/platform.ts';
import { type ImageSelector, parseImageSelector } from '../references/imageSelector.ts';
import type { CopyEvent } from './copyEvents.ts';

export interface CopyOptions {
  /** Which image of the source: a name it has there, or `@N`. Wins over a choice in the reference. */
  readonly select?: string | ImageSelector;
  /** Which image of an index, such as `linux/arm64`; default: this host's. */
  readonly platform?: Platform | string;
  /** Copy an index with the images of all its platforms, and not the image of one. */
  readonly allPlatforms?: boolean;
  /** Type of the manifest; default: as it is, if the destination holds it. */
  readonly format?: 'oci' | 'v2s2';
  /**
   * How layers are to be compressed. Those that are compressed so already stay as they are, unless there is a level.
   * Default: as they are; what a store makes anew becomes gzip, or stays plain in `dir`.
   */
  readonly compression?: LayerCompression;
  /**
   * 1 to 9 for gzip, 1 to 22 for zstd. Without `compression` it is one of gzip. By default gzip is fast, and zstd as its
   * library has it; see the README of `codec` for which compressors there are.
   */
  readonly compressionLevel?: number;
  /** Fail rather than change a byte of manifest, config or layers. */
  readonly preserveDigests?: boolean;
  /** Leave signatures behind. */
  readonly removeSignatures?: boolean;
  /** Names that the image gets besides that of the destination's reference. */
  readonly additionalNames?: readonly string[];
  /** Replace an archive that exists. */
  readonly overwrite?: boolean;
  readonly onProgress?: (event: CopyEvent) => void;
  readonly onWarning?: WarningHandler;
  readonly signal?: AbortSignal;
  /** Of a copy into a store; as for `importImage`. Its owner closes it. */
  readonly blobInfoCache?: BlobInfoCache;
  /**
   * For what must be staged; default: beside the destination; for compressed archives the disk of the option `store`, if
   * they are copied into it, else `TMPDIR`, else `/var/tmp`.
   */
  readonly spoolDirectory?: string;
}

/** {@link CopyOptions}, checked and in one form. */
export interface CopyPlan extends Omit<CopyOptions, 'platform' | 'select'> {
  readonly platform?: Platform;
  readonly select?: ImageSelector;
  readonly additionalNames: readonly string[];
}

const LEVELS = { gzip: 9, zstd: 22 } as const;

/**
 * Checks all that can be checked before anything is opened.
 *
 * @param chosen the choice that the reference of the source makes
 * @throws {StorageError} `REFERENCE_INVALID`, `CONFIG_INVALID`
 */
export function planCopy(options: CopyOptions, chosen?: ImageSelector): CopyPlan {
  const { platform, select: asked, compression, compressionLevel, additionalNames = [], ...rest } = options;
  const select = typeof asked === 'string' ? parseImageSelector(asked) : (asked ?? chosen);
  const wanted = typeof platform === 'string' ? parsePlatform(platform) : platform;
  const kind = compression ?? (compressionLevel === undefined ? undefined : 'gzip');
  if (kind !== undefined && compressionLevel !== undefined) checkLevel(kind, compressionLevel);
  return {
    ...rest,
    additionalNames,
    ...(select === undefined ? {} : { select }),
    ...(wanted === undefined ? {} : { platform: wanted }),
    ...(kind === undefined ? {} : { compression: kind }),
    ...(compressionLevel === undefined ? {} : { compressionLevel }),
  };
}

function checkLevel(compression: LayerCompression, level: number): void {
  const highest = compression === 'none' ? 0 : LEVELS[compression];
  if (Number.isInteger(level) && level >= 1 && level <= highest) return;
  throw new StorageError('CONFIG_INVALID', `compression level ${level} is not one of ${compression}`, {
    object: String(level),
    hint:
      compression === 'none'
        ? 'leave the level out, or choose gzip or zstd'
        : `choose a level from 1 to ${highest}`,
  });
}

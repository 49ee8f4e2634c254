import type { Digest, Platform, WarningHandler } from '@sediment/core';
import type { ImageInfo, Images, Layers, TemporaryFile } from '@sediment/storage';
import type { BlobInfoCache } from '../blobInfoCache/blobInfoCache.ts';
import { parsePlatform } from '../platforms/platform.ts';
import { normalizeLocalName } from '../references/imageName.ts';
import { type ImageSelector, parseImageSelector } from '../references/imageSelector.ts';
import type { ImportEvent } from './importEvents.ts';
import type { KeptBlobs } from './keepBlobs.ts';

/** The part of a store that an import uses; a `Store` is one. */
export interface ImportStore {
  readonly layers: Pick<Layers, 'addChain' | 'delete'>;
  readonly images: Pick<Images, 'put'>;
  readonly blobs?: KeptBlobs;
  /** Where the plain copy of a compressed archive or of a pipe goes, if the import does not say. */
  openTemporaryFile?(): Promise<TemporaryFile>;
}

export interface ImportOptions {
  /**
   * Names to give to the image, completed by podman's rule (`app` → `localhost/app:latest`). Without
   * this option it gets those that the source has for it; with an empty list, none.
   */
  readonly names?: readonly string[];
  /** Which image of the source: a name it has there, or `@N`. Wins over a choice in the reference. */
  readonly select?: string | ImageSelector;
  /** Which image of an index, such as `linux/arm64`; default: this host's. */
  readonly platform?: Platform | string;
  /**
   * Learns which layers were unpacked, and tells DiffIDs that the image does not. Its owner closes it. Default: none.
   */
  readonly blobInfoCache?: BlobInfoCache;
  /** Keep the blobs as they are, besides unpacking them. Default: what the store is set to do, see `Blobs.setPolicy`. */
  readonly keepBlobs?: boolean;
  /** Of an index keep the blobs of all platforms. Needs kept blobs, unless the image is no index. */
  readonly allPlatforms?: boolean;
  readonly onProgress?: (event: ImportEvent) => void;
  readonly onWarning?: WarningHandler;
  readonly signal?: AbortSignal;
  /** For the plain copy of a compressed archive or of a pipe; default: on the disk of the store, see `Store.openTemporaryFile`. */
  readonly spoolDirectory?: string;
}

export interface ImportAllOptions extends ImportOptions {
  /** Import every image of the source. Artifacts among them are left out, with a warning. */
  readonly all?: boolean;
}

/** The image as the store now has it. */
export interface ImportedImage extends ImageInfo {
  /** Whether the image was not in the store before. */
  readonly isNew: boolean;
  /** Of the manifest that came with this import. */
  readonly manifestDigest: Digest;
}

/** {@link ImportAllOptions}, checked and in one form. */
export interface ImportPlan extends Omit<ImportAllOptions, 'platform' | 'select'> {
  readonly platform?: Platform;
  readonly select?: ImageSelector;
  /** What the image must be: the digest of its manifest, or of the list that it was chosen from; its id. */
  readonly expect?: { readonly digest?: Digest; readonly id?: string };
  /** Leave signatures behind. */
  readonly removeSignatures?: boolean;
}

/**
 * Checks all that can be checked before anything is opened.
 *
 * @param chosen the choice that the reference makes
 * @throws {StorageError} `REFERENCE_INVALID`, `CONFIG_INVALID`
 */
export function planImport(options: ImportAllOptions, chosen?: ImageSelector): ImportPlan {
  const { platform, select: asked, names, ...rest } = options;
  const select = typeof asked === 'string' ? parseImageSelector(asked) : (asked ?? chosen);
  if (select !== undefined && rest.all === true) {
    throw new TypeError('option "all" excludes a choice, be it by option "select" or in the reference');
  }
  const wanted = typeof platform === 'string' ? parsePlatform(platform) : platform;
  return {
    ...rest,
    ...(select === undefined ? {} : { select }),
    ...(wanted === undefined ? {} : { platform: wanted }),
    ...(names === undefined ? {} : { names: [...new Set(names.map(normalizeLocalName))] }),
  };
}

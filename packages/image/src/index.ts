export type { BlobInfoCache, BlobLocation } from './blobInfoCache/blobInfoCache.ts';
export { blobInfoCachePath } from './blobInfoCache/blobInfoCachePath.ts';
export { type OpenBlobInfoCacheOptions, openBlobInfoCache } from './blobInfoCache/openBlobInfoCache.ts';
export type { AnnouncedBlob, CopiedAs, CopiedBlob, CopiedImage, CopyEvent } from './copy/copyEvents.ts';
export { type CopyFrom, type CopyImageOptions, copyImage, copyImages } from './copy/copyImages.ts';
export type { CopyOptions } from './copy/copyOptions.ts';
export { type ExportOptions, exportImage, exportImages } from './copy/exportImages.ts';
export type {
  DestinationLimits,
  FileTransport,
  ImageDestination,
  NewBlob,
  NewImage,
  OpenDestinationOptions,
  StoredBlob,
} from './destinations/imageDestination.ts';
export { type DestinationReference, openImageDestination } from './destinations/openImageDestination.ts';
export type { AnnouncedLayer, ImportEvent } from './import/importEvents.ts';
export { type ImportFrom, importImage, importImages } from './import/importImage.ts';
export type {
  ImportAllOptions,
  ImportedImage,
  ImportOptions,
  ImportStore,
} from './import/importOptions.ts';
export { formatPlatform, hostPlatform, parsePlatform } from './platforms/platform.ts';
export { completions, type FoundImage, findImage, findImageIn } from './references/findImage.ts';
export {
  formatImageName,
  type ImageName,
  normalizeLocalName,
  normalizeName,
  parseImageName,
} from './references/imageName.ts';
export {
  type ArchiveReference,
  type DirReference,
  formatImageReference,
  type ImageReference,
  parseImageReference,
} from './references/imageReference.ts';
export { type ImageSelector, parseImageSelector } from './references/imageSelector.ts';
export {
  findReferencedImage,
  type ReferencedStore,
  type ResolvedStoreReference,
  resolveStoreReference,
} from './references/resolveStoreReference.ts';
export {
  formatSourceReference,
  type PathReference,
  parseSourceReference,
  type SourceReference,
} from './references/sourceReference.ts';
export type { StoreReference, StoreSpec } from './references/storeReference.ts';
export type { Transport } from './references/transports.ts';
export type { ReferenceUse } from './references/unsupportedTransports.ts';
export { type ReferencedStoreOptions, withReferencedStore } from './references/withReferencedStore.ts';
export { chooseImages, type ImageChoice } from './sources/chooseImages.ts';
export type {
  ImageDocument,
  ImageSource,
  IndexInstance,
  LayerSource,
  OpenedImage,
  OpenedIndex,
  OpenedManifest,
  OpenImageOptions,
  SourceBlob,
  SourceImage,
} from './sources/imageSource.ts';
export {
  type OpenSourceOptions,
  openImageSource,
  resolveSourceReference,
} from './sources/openImageSource.ts';
export { openStoreSource, type StoreSourceOptions } from './sources/store/openStoreSource.ts';
export type { SourceStore } from './sources/store/sourceStore.ts';

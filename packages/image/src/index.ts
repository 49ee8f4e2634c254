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
  formatSourceReference,
  type ImageSelector,
  parseImageSelector,
  parseSourceReference,
  type SourceReference,
  type SourceTransport,
} from './references/sourceReference.ts';
export { chooseImages, type ImageChoice } from './sources/chooseImages.ts';
export type {
  ImageDocument,
  ImageSource,
  LayerSource,
  OpenedImage,
  OpenImageOptions,
  SourceImage,
} from './sources/imageSource.ts';
export {
  type OpenSourceOptions,
  openImageSource,
  resolveSourceReference,
} from './sources/openImageSource.ts';

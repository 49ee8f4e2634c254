/**
 * Names of images without the readers of archives: what a program needs that looks images up. All of it
 * is also exported by the package itself; this module loads in a fraction of the time.
 */
export { completions, type FoundImage, findImage, findImageIn } from './references/findImage.ts';
export {
  formatImageName,
  type ImageName,
  normalizeLocalName,
  normalizeName,
  parseImageName,
} from './references/imageName.ts';

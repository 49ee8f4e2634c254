export { cleanPath } from './cleanPath.ts';
export {
  isHeaderOnlyType,
  type SparseRange,
  TAR_TYPE,
  type TarFormat,
  type TarHeader,
  type TarXattr,
} from './tar/tarHeader.ts';
export { type TarHandler, TarReader, type TarReaderOptions } from './tar/tarReader.ts';

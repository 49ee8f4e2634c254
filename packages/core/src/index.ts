export { cleanPath } from './cleanPath.ts';
export type { Compression, Descriptor, Platform } from './descriptor.ts';
export {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestHex,
  digestOf,
  type Hasher,
  isDigest,
  layerIdFor,
  newHasher,
  newPortableHasher,
  parseDigest,
  sha256Hex,
} from './digest.ts';
export { ERROR_CODES, type ErrorCode } from './errorCodes.ts';
export { goJsonStringify } from './goJson.ts';
export {
  describeErrorCode,
  type ErrorFacts,
  isStorageError,
  StorageError,
  type StorageErrorJson,
  type StorageErrorOptions,
} from './storageError.ts';
export { errnoCode, wrapSystemError } from './systemError.ts';
export { WARNING_CODES, type Warning, type WarningCode, type WarningHandler } from './warning.ts';

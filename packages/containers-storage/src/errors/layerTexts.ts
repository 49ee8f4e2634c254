import { describeErrorCode, type ErrorCode, type StorageError } from '@sediment/core';

/** The Go command names one of those who stand in the way: the first one, of an image the last one. */
function inUse(words: (object: string, user: string) => string, pick: 0 | -1 = 0) {
  return ({ code, facts }: StorageError): string =>
    `${words(facts.object ?? '', facts.usedBy?.at(pick) ?? '')}: ${describeErrorCode(code)}`;
}

/** The Go command unpacks in a process of its own, whose end it tells as well. */
function unpacking(reason: (error: StorageError) => string) {
  return (error: StorageError): string => `processing tar file(${reason(error)}): exit status 1`;
}

/** Texts about layers that are in use and about diffs that cannot be applied. */
export const LAYER_TEXTS = {
  LAYER_HAS_CHILDREN: inUse((_, child) => `used by layer ${child}`),
  LAYER_USED_BY_IMAGE: inUse((layer, image) => `layer ${layer} used by image ${image}`),
  LAYER_USED_BY_CONTAINER: inUse((layer, container) => `layer ${layer} used by container ${container}`),
  IMAGE_USED_BY_CONTAINER: inUse((_, container) => `image used by ${container}`, -1),
  TAR_TRUNCATED: unpacking(() => 'unexpected EOF'),
  TAR_INVALID: unpacking(() => 'archive/tar: invalid tar header'),
  TAR_DUPLICATE_PATH: unpacking(({ code }) => describeErrorCode(code)),
  COMPRESSION_INVALID: unpacking(({ message }) => message),
} as const satisfies Partial<Record<ErrorCode, (error: StorageError) => string>>;

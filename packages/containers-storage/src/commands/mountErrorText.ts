import { describeErrorCode, isStorageError } from '@sediment/core';
import { errorText } from '../errors/errorText.ts';

/** Why something cannot be mounted or unmounted. What is neither layer nor container counts as an unknown layer. */
export function mountErrorText(error: unknown): string {
  return isStorageError(error, 'CONTAINER_UNKNOWN') ? describeErrorCode('LAYER_UNKNOWN') : errorText(error);
}

import { isStorageError, StorageError } from '@sediment/core';
import type { UnpackJob } from './unpackJob.ts';

const CONTENT_CODES = [
  'COMPRESSION_INVALID',
  'TAR_INVALID',
  'TAR_TRUNCATED',
  'TAR_DUPLICATE_PATH',
  'TAR_ENTRY_UNSUPPORTED',
  'UNPACK_FAILED',
  'UNPACK_UNSAFE',
] as const;

/** Whether the error would also arise if the layer were another one than was asked for. */
export function isAboutContent(error: unknown): boolean {
  return CONTENT_CODES.some((code) => isStorageError(error, code));
}

/** The news is that it is another layer; that this one cannot be unpacked is added. */
export function explainedBy(mismatch: StorageError, cause: unknown): StorageError {
  const { facts, message, hint } = mismatch;
  return new StorageError('DIGEST_MISMATCH', `${message} (and ${(cause as Error).message})`, {
    ...facts,
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

/** What finds damage in a stream knows neither the layer nor the file that the stream comes from. */
export function namingBlob(error: StorageError, { what, blob }: UnpackJob): StorageError {
  const { code, message, facts, hint, cause } = error;
  if (code === 'ABORTED' || facts.path !== undefined) return error;
  return new StorageError(code, message, {
    object: what,
    ...(blob === undefined ? {} : { path: blob.path }),
    ...facts,
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

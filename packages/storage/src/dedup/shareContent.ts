import { dedupeRange, isPosixError } from '@sediment/posix';

/** A multiple of all block sizes, and no more than the kernel compares in one call. */
const STEP = 16 * 1024 * 1024;
const UNSUPPORTED: ReadonlySet<string> = new Set(['EOPNOTSUPP', 'ENOSYS', 'ENOTTY']);

/** Whether this error says that the file system cannot share content at all. */
export function isUnsupported(error: unknown): boolean {
  return isPosixError(error) && UNSUPPORTED.has(error.code);
}

/**
 * Whether the file system of an open file with content can share content: where it can, the file itself is
 * refused as the second one, where it cannot, everything is.
 */
export function canShare(fd: number): boolean {
  try {
    const range = { sourceFd: fd, sourceOffset: 0, destinationFd: fd, destinationOffset: 0, length: 1 };
    dedupeRange(range);
    return true;
  } catch (error) {
    if (!isPosixError(error)) throw error;
    return !isUnsupported(error);
  }
}

/**
 * Makes two files of one size share their content, as far as the kernel finds it equal from the beginning on.
 *
 * @returns bytes that are shared now; 0 when the files differ
 */
export function shareContent(sourceFd: number, destinationFd: number, size: number): number {
  let shared = 0;
  while (shared < size) {
    const { bytes, same } = dedupeRange({
      sourceFd,
      sourceOffset: shared,
      destinationFd,
      destinationOffset: shared,
      length: Math.min(STEP, size - shared),
    });
    if (!same || bytes === 0) break;
    shared += bytes;
  }
  return shared;
}

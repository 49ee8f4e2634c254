import type { Readable } from 'node:stream';

/**
 * Runs an operation that reads a stream. When it fails the stream is ended, even if nothing was read of it:
 * files and connections behind it are closed.
 */
export async function endingSource<T>(
  source: AsyncIterable<unknown>,
  operation: () => Promise<T>,
): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    endSource(source);
    throw error;
  }
}

/**
 * Ends a stream that is not read any further. Does not wait, since a source that has nothing to say may not notice; what
 * it throws comes too late.
 */
export function endSource(source: AsyncIterable<unknown> & Partial<Pick<Readable, 'destroy' | 'on'>>): void {
  // The iterator of a Node stream closes the stream only after it has read from it.
  if (typeof source.destroy === 'function') {
    // A file that is only now found to be missing would end the process.
    source.on?.('error', () => undefined);
    source.destroy();
  } else
    source[Symbol.asyncIterator]()
      .return?.()
      .catch(() => undefined);
}

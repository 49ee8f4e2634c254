import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { StorageError, wrapSystemError } from '@sediment/core';
import type { StoreContext } from '../store/storeContext.ts';
import type { DiffInput } from './unpackInto.ts';

/**
 * Reads a stream to its end and keeps it in a file of staging, for those who unpack under a lock: whoever hands in
 * the stream decides how fast it comes, and may need the store for it.
 *
 * @returns the same input, as a stream from the file `path`
 * @throws {StorageError} `ABORTED`, also when the store is closed; `NO_SPACE`, `IO`; what the stream throws
 */
export async function spoolDiff(context: StoreContext, input: DiffInput, path: string): Promise<DiffInput> {
  const { closing } = context;
  const signal = input.signal === undefined ? closing : AbortSignal.any([input.signal, closing]);
  const stopped = rejectionOf(signal, input.what);
  const iterator = input.diff[Symbol.asyncIterator]();
  const fd = openSync(path, 'wx', 0o600);
  try {
    for (;;) {
      const { done, value } = await Promise.race([iterator.next(), stopped.promise]);
      if (done === true) break;
      writeAll(fd, value, path);
    }
  } finally {
    stopped.forget();
    closeSync(fd);
  }
  return { ...input, diff: createReadStream(path) };
}

/** A promise that is rejected with `ABORTED` when the signal fires; to be raced against reading a stream. */
export function rejectionOf(
  signal: AbortSignal,
  what: string,
): { readonly promise: Promise<never>; forget(): void } {
  let forget = (): void => undefined;
  const promise = new Promise<never>((_, reject) => {
    const abort = () =>
      reject(new StorageError('ABORTED', `${what}: reading it was aborted`, { cause: signal.reason }));
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    forget = () => signal.removeEventListener('abort', abort);
  });
  // The stream may come to its end before anybody looks.
  promise.catch(() => undefined);
  return { promise, forget };
}

function writeAll(fd: number, bytes: Uint8Array, path: string): void {
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
  } catch (error) {
    throw wrapSystemError(error, `writing ${path}`, 'IO', { path });
  }
}

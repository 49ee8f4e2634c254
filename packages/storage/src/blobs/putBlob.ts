import { closeSync, fchmodSync, fdatasyncSync, openSync, utimesSync } from 'node:fs';
import {
  type Digest,
  digestAlgorithm,
  errnoCode,
  newHasher,
  StorageError,
  wrapSystemError,
} from '@sediment/core';
import { endingSource, endSource } from '../layers/endingSource.ts';
import { rejectionOf } from '../layers/spoolDiff.ts';
import { withOwnLock } from '../store/withOwnLock.ts';
import type { PutBlobOptions } from './blobs.ts';
import type { KeptStore } from './keptStore.ts';
import type { BlobFile } from './layoutFiles.ts';
import { BLOB_MODE, placeFile, writeAll } from './spoolFiles.ts';

/** The bytes of a blob: a stream, or what opens one when it is known that the bytes are needed. */
export type BlobBytes = AsyncIterable<Uint8Array> | (() => AsyncIterable<Uint8Array>);

/**
 * Puts the bytes into the layout, but not into the index. Who comes second for a digest waits, and its bytes are not
 * read. A file of the wrong size, which only damage explains, is replaced.
 */
export async function putBlob(
  store: KeptStore,
  bytes: BlobBytes,
  options: PutBlobOptions = {},
): Promise<BlobFile> {
  const { digest, signal } = options;
  await store.prepare();
  if (digest === undefined) return await writeBlob(store, bytes, options);
  const present = renewBlob(store, digest, options.size);
  if (present !== undefined) return unread(bytes, present);
  const path = store.context.paths.blobLock(digest);
  return await withOwnLock(store.context, { path, rank: 'blob', signal }, async () => {
    const now = renewBlob(store, digest, options.size);
    return now === undefined ? await writeBlob(store, bytes, options) : unread(bytes, now);
  });
}

/** A blob that is there already; noted as wanted, so that it is not collected before it gets an owner. */
export function renewBlob({ files }: KeptStore, digest: Digest, size?: number): BlobFile | undefined {
  const file = files.find(digest);
  if (file === undefined || (size !== undefined && file.size !== size)) return undefined;
  const now = new Date();
  try {
    utimesSync(file.path, now, now);
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw wrapSystemError(error, `touching ${file.path}`, 'IO', { path: file.path });
  }
  return { ...file, time: now.getTime() };
}

/** Moves a verified file of the spool into the layout. */
export function placeBlob(
  { files, context }: KeptStore,
  staged: string,
  blob: Omit<BlobFile, 'path' | 'time'>,
): BlobFile {
  const path = files.blobPath(blob.digest);
  files.makeRoomFor(blob.digest);
  placeFile(staged, path);
  context.disk.namedSync(path);
  return { ...blob, path, time: Date.now() };
}

function unread(bytes: BlobBytes, file: BlobFile): BlobFile {
  if (typeof bytes !== 'function') endSource(bytes);
  return file;
}

async function writeBlob(store: KeptStore, bytes: BlobBytes, options: PutBlobOptions): Promise<BlobFile> {
  return await store.withTemp(async (temp) => {
    const staged = temp.stageAddition();
    const source = typeof bytes === 'function' ? bytes() : bytes;
    const written = await endingSource(source, () =>
      writeVerified(store, source, { ...options, path: staged }),
    );
    return placeBlob(store, staged, written);
  });
}

async function writeVerified(
  { context: { closing } }: KeptStore,
  source: AsyncIterable<Uint8Array>,
  { path, digest, size, signal }: PutBlobOptions & { readonly path: string },
): Promise<{ digest: Digest; size: number }> {
  const what = digest === undefined ? 'blob' : `blob ${digest}`;
  const stopped = rejectionOf(signal === undefined ? closing : AbortSignal.any([signal, closing]), what);
  const hasher = newHasher(digest === undefined ? 'sha256' : digestAlgorithm(digest));
  const iterator = source[Symbol.asyncIterator]();
  const fd = openStaged(path);
  let read = 0;
  try {
    for (;;) {
      const { done, value } = await Promise.race([iterator.next(), stopped.promise]);
      if (done === true) break;
      read += value.length;
      if (size !== undefined && read > size) throw wrongSize(what, size, `at least ${read}`);
      hasher.update(value);
      write(path, () => writeAll(fd, value));
    }
    if (size !== undefined && read !== size) throw wrongSize(what, size, read);
    const actual = hasher.digest();
    if (digest !== undefined && actual !== digest) throw wrongDigest(what, digest, actual);
    write(path, () => {
      fdatasyncSync(fd);
      fchmodSync(fd, BLOB_MODE);
    });
    return { digest: actual, size: read };
  } finally {
    stopped.forget();
    closeSync(fd);
  }
}

function openStaged(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    throw wrapSystemError(error, `making ${path}`, 'IO', { path });
  }
}

function write(path: string, fn: () => void): void {
  try {
    fn();
  } catch (error) {
    throw wrapSystemError(error, `writing ${path}`, 'IO', { path });
  }
}

const HINT = 'the bytes were damaged or replaced on their way: fetch them again';

function wrongSize(what: string, expected: number, actual: number | string): StorageError {
  return new StorageError('SIZE_MISMATCH', `${what}: expected ${expected} bytes, got ${actual}`, {
    object: what,
    expected,
    actual,
    hint: HINT,
  });
}

function wrongDigest(what: string, expected: Digest, actual: Digest): StorageError {
  return new StorageError(
    'DIGEST_MISMATCH',
    `${what}: Digest did not match, expected ${expected}, got ${actual}`,
    { object: what, expected, actual, hint: HINT },
  );
}

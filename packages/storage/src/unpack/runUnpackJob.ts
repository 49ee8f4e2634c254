import { openDecompressed } from '@sediment/codec';
import {
  type Compression,
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  isStorageError,
  newHasher,
  StorageError,
  wrapSystemError,
} from '@sediment/core';
import { BlobCopy } from './blobCopy.ts';
import { BlobReader } from './blobReader.ts';
import { withCleanupError } from './cleanupError.ts';
import type { LayerBytes } from './layerBytes.ts';
import { LayerSink } from './layerSink.ts';
import { registerNativeCodecs } from './nativeCodecs.ts';
import { StreamReader } from './streamReader.ts';
import type { UnpackJob, UnpackResult } from './unpackJob.ts';
import { WarningTally } from './warningTally.ts';

export interface UnpackHooks {
  /** The bytes of the layer, for a job without a blob. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Told how many bytes of the blob were read so far, about once per MiB. */
  readonly onProgress?: (bytesRead: number) => void;
  /** Asked for each block and each entry; true ends the job with `ABORTED`. */
  readonly isAborted?: () => boolean;
  /** Promise that the umask of this thread is 0, which saves a system call for each entry. */
  readonly umaskIsZero?: boolean;
}

interface DiffFacts {
  readonly compression: Compression;
  readonly diffSize: number;
  /** Undefined when the blob is not compressed and its own digest is the same. */
  readonly diffDigest: Digest | undefined;
}

/**
 * Reads one layer to its last byte, once: hashes it, decompresses it by its magic, hashes the tar,
 * and writes tree, tar-split and the copy to be kept. Runs in the calling thread, with synchronous calls. After a failure
 * there is no tar-split, no copy and no open file; the tree is left to the caller, incomplete.
 *
 * @throws {StorageError} `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `DIFF_ID_MISMATCH` when the layer is not
 *   the expected one; `BLOB_MISSING` and `ARCHIVE_INVALID` when the file is missing or ends early;
 *   `COMPRESSION_INVALID`, `TAR_INVALID`, `TAR_TRUNCATED`, `TAR_DUPLICATE_PATH`, `TAR_ENTRY_UNSUPPORTED`, `UNPACK_UNSAFE` for bad content;
 *   `UNPACK_FAILED`, `NO_SPACE`, `IO`; `ABORTED`
 */
export async function runUnpackJob(job: UnpackJob, hooks: UnpackHooks = {}): Promise<UnpackResult> {
  registerNativeCodecs();
  if (job.blob !== undefined) verifySize(job, job.blob.length);
  const copy = job.keep === undefined ? undefined : new BlobCopy(job.keep.path, job.what);
  try {
    return await readInto(job, hooks, copy);
  } catch (error) {
    if (copy !== undefined) discard(copy, error);
    throw error;
  }
}

async function readInto(
  job: UnpackJob,
  hooks: UnpackHooks,
  copy: BlobCopy | undefined,
): Promise<UnpackResult> {
  const isPlain = job.keep?.form === 'tar';
  const reader = openBytes(job, hooks, isPlain ? undefined : copy);
  try {
    const result = await readLayer({ job, hooks, reader, tarCopy: isPlain ? copy : undefined });
    copy?.finish();
    return result;
  } catch (error) {
    throw wrapSystemError(error, job.what);
  } finally {
    reader.close();
  }
}

function openBytes(job: UnpackJob, hooks: UnpackHooks, copy: BlobCopy | undefined): LayerBytes {
  const { what, blob, expect } = job;
  const { input } = hooks;
  // Also while the rest of a damaged layer is read for its digest.
  const onProgress = (bytesRead: number): void => {
    stopIfAborted(what, hooks);
    // A stream that is too long may never end.
    if (bytesRead > (expect.size ?? Number.POSITIVE_INFINITY)) verifySize(job, bytesRead);
    hooks.onProgress?.(bytesRead);
  };
  const options = { what, algorithm: algorithmOf(expect.digest), onProgress, copy };
  if (blob !== undefined) return new BlobReader(blob, options);
  if (input === undefined) throw new TypeError(`${what}: a job without a blob needs its bytes`);
  return new StreamReader(input, options);
}

export function stopIfAborted(what: string, { isAborted }: UnpackHooks): void {
  if (isAborted?.() === true) throw new StorageError('ABORTED', `${what}: unpacking was aborted`);
}

interface LayerReading {
  readonly job: UnpackJob;
  readonly hooks: UnpackHooks;
  readonly reader: LayerBytes;
  /** Gets the uncompressed tar, if that is to be kept. */
  readonly tarCopy: BlobCopy | undefined;
}

async function readLayer({ job, hooks, reader, tarCopy }: LayerReading): Promise<UnpackResult> {
  const { what, expect } = job;
  const checkpoint = (): void => stopIfAborted(what, hooks);
  const warnings = new WarningTally(what);
  const sink = new LayerSink({ job, warnings, checkpoint, umaskIsZero: hooks.umaskIsZero ?? false });
  try {
    const diff = await copyLayer({ job, reader, sink, tarCopy, checkpoint });
    const compressedDigest = await reader.digest();
    verifySize(job, reader.size);
    verify(job, 'digest', compressedDigest);
    const diffDigest = diff.diffDigest ?? compressedDigest;
    verify(job, 'diffID', diffDigest);
    sink.finish();
    return {
      compressedDigest,
      compressedSize: reader.size,
      diffDigest,
      diffSize: diff.diffSize,
      compression: diff.compression,
      uidSet: sink.owners.uids,
      gidSet: sink.owners.gids,
      treeBytes: sink.treeBytes,
      warnings: warnings.list(),
    };
  } catch (error) {
    discard(sink, error);
    if (expect.digest !== undefined && isAboutContent(error)) await explainByDigest(job, reader, error);
    throw isStorageError(error) ? namingBlob(error, job) : error;
  }
}

/** What finds damage in a stream knows neither the layer nor the file that the stream comes from. */
function namingBlob(error: StorageError, { what, blob }: UnpackJob): StorageError {
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

function discard(sink: Pick<LayerSink, 'discard'>, error: unknown): void {
  try {
    sink.discard();
  } catch (second) {
    throw withCleanupError(error, second);
  }
}

interface LayerCopy {
  readonly job: UnpackJob;
  readonly reader: LayerBytes;
  readonly sink: LayerSink;
  readonly tarCopy: BlobCopy | undefined;
  readonly checkpoint: () => void;
}

async function copyLayer({ job, reader, sink, tarCopy, checkpoint }: LayerCopy): Promise<DiffFacts> {
  const { digest, diffID } = job.expect;
  const { compression, bytes } = await openDecompressed(reader.blocks(), { what: job.what });
  const same = compression === 'none' && algorithmOf(digest) === algorithmOf(diffID);
  const hasher = same ? undefined : newHasher(algorithmOf(diffID));
  let diffSize = 0;
  for await (const chunk of bytes) {
    checkpoint();
    hasher?.update(chunk);
    diffSize += chunk.length;
    tarCopy?.write(chunk);
    sink.write(chunk);
  }
  sink.end();
  return { compression, diffSize, diffDigest: hasher?.digest() };
}

function algorithmOf(digest: Digest | undefined): DigestAlgorithm {
  return digest === undefined ? 'sha256' : digestAlgorithm(digest);
}

function verify({ what, expect, blob }: UnpackJob, kind: 'digest' | 'diffID', actual: Digest): void {
  const expected = expect[kind];
  if (expected === undefined || expected === actual) return;
  const facts = { object: what, ...(blob === undefined ? {} : { path: blob.path }), expected, actual };
  if (kind === 'digest') {
    const message = `${what}: digest did not match, expected ${expected}, got ${actual}`;
    throw new StorageError('DIGEST_MISMATCH', message, { ...facts, hint: DAMAGED });
  }
  throw new StorageError(
    'DIFF_ID_MISMATCH',
    `${what}: the uncompressed layer has digest ${actual}, the image config says ${expected}`,
    { ...facts, hint: 'layers and config are not of one image; fetch or build it again' },
  );
}

const DAMAGED = 'the blob was changed or damaged; fetch it again';

function verifySize({ what, blob, expect }: UnpackJob, actual: number): void {
  const expected = expect.size;
  if (expected === undefined || expected === actual) return;
  throw new StorageError(
    'SIZE_MISMATCH',
    `${what}: size did not match, expected ${expected} bytes, got ${actual}`,
    { object: what, ...(blob === undefined ? {} : { path: blob.path }), expected, actual, hint: DAMAGED },
  );
}

const CONTENT_CODES = [
  'COMPRESSION_INVALID',
  'TAR_INVALID',
  'TAR_TRUNCATED',
  'TAR_DUPLICATE_PATH',
  'TAR_ENTRY_UNSUPPORTED',
  'UNPACK_FAILED',
  'UNPACK_UNSAFE',
] as const;

function isAboutContent(error: unknown): boolean {
  return CONTENT_CODES.some((code) => isStorageError(error, code));
}

/** Content that cannot be read may be another one than was asked for: then that is the news. */
async function explainByDigest(job: UnpackJob, reader: LayerBytes, cause: unknown): Promise<void> {
  try {
    verify(job, 'digest', await reader.digest());
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'DIGEST_MISMATCH') throw error;
    const { facts, message, hint } = error;
    throw new StorageError('DIGEST_MISMATCH', `${message} (and ${(cause as Error).message})`, {
      ...facts,
      ...(hint === undefined ? {} : { hint }),
      cause,
    });
  }
}

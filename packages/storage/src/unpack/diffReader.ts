import { openDecompressed } from '@sediment/codec';
import {
  type Compression,
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  newHasher,
  StorageError,
} from '@sediment/core';
import { BlobCopy } from './blobCopy.ts';
import { BlobReader } from './blobReader.ts';
import type { DiffFacts, DiffSource } from './diffSource.ts';
import type { LayerBytes } from './layerBytes.ts';
import { StreamReader } from './streamReader.ts';
import type { UnpackJob } from './unpackJob.ts';

export interface DiffReaderHooks {
  /** The bytes of the layer, for a job without a blob. */
  readonly input?: AsyncIterable<Uint8Array>;
  /** Told how many bytes of the blob were read so far, about once per MiB. */
  readonly onProgress?: (bytesRead: number) => void;
  /** Called for each block; may throw, to stop. */
  readonly checkpoint: () => void;
  /** Offers memory for the next chunk, as `DecoderOptions` has it; chunks that do not lie in it are to be copied. */
  readonly output?: () => Buffer | undefined;
  /** Hashes what was decompressed, if the caller has a better place for that than this thread. */
  readonly hashElsewhere?: (algorithm: DigestAlgorithm) => DiffHasher | undefined;
}

/** A hash that may be computed in another thread. */
export interface DiffHasher {
  /** Settles when the bytes may be used again. */
  update(bytes: Uint8Array): Promise<void> | void;
  digest(): Promise<Digest> | Digest;
  /** Instead of `digest`, when it is no longer wanted. */
  abandon(): void;
}

/** Reads a layer: hashes the blob, decompresses it by its magic, hashes the tar, and writes the copy to be kept. */
export class DiffReader implements DiffSource {
  readonly #job: UnpackJob;
  readonly #checkpoint: () => void;
  readonly #output: (() => Buffer | undefined) | undefined;
  readonly #newHasher: (algorithm: DigestAlgorithm) => DiffHasher;
  readonly #copy: BlobCopy | undefined;
  readonly #bytes: LayerBytes;
  #digest: Promise<Digest> | undefined;
  #compression: Compression = 'none';
  #diffDigest: Digest | undefined;
  #diffSize = 0;

  /** @throws {StorageError} when the blob cannot be opened or surely is not the expected one */
  constructor(job: UnpackJob, hooks: DiffReaderHooks) {
    this.#job = job;
    this.#checkpoint = hooks.checkpoint;
    this.#output = hooks.output;
    this.#newHasher = (algorithm) => hooks.hashElsewhere?.(algorithm) ?? hashHere(algorithm);
    if (job.blob !== undefined) verifySize(job, job.blob.length);
    this.#copy = job.keep === undefined ? undefined : new BlobCopy(job.keep.path, job.what);
    try {
      this.#bytes = openBytes(job, hooks, job.keep?.form === 'tar' ? undefined : this.#copy);
    } catch (error) {
      this.#copy?.discard();
      throw error;
    }
  }

  async *chunks(): AsyncGenerator<Uint8Array, void, undefined> {
    const { what, expect, keep } = this.#job;
    const output = this.#output;
    const { compression, bytes } = await openDecompressed(this.#bytes.blocks(), { what, output });
    this.#compression = compression;
    if (compression === 'none' && output !== undefined) this.#bytes.readInto?.(output);
    const same = compression === 'none' && algorithmOf(expect.digest) === algorithmOf(expect.diffID);
    let hasher = same ? undefined : this.#newHasher(algorithmOf(expect.diffID));
    const tarCopy = keep?.form === 'tar' ? this.#copy : undefined;
    try {
      for await (const chunk of bytes) {
        this.#checkpoint();
        await hasher?.update(chunk);
        this.#diffSize += chunk.length;
        tarCopy?.write(chunk);
        yield chunk;
      }
      this.#diffDigest = await hasher?.digest();
      hasher = undefined;
    } finally {
      hasher?.abandon();
    }
  }

  async facts(): Promise<DiffFacts> {
    const job = this.#job;
    const compressedDigest = await this.#readDigest();
    verifySize(job, this.#bytes.size);
    verifyDigest(job, 'digest', compressedDigest);
    // What is not compressed has one digest.
    const diffDigest = this.#diffDigest ?? compressedDigest;
    verifyDigest(job, 'diffID', diffDigest);
    return {
      compressedDigest,
      compressedSize: this.#bytes.size,
      compression: this.#compression,
      diffDigest,
      diffSize: this.#diffSize,
    };
  }

  async mismatch(): Promise<StorageError | undefined> {
    if (this.#job.expect.digest === undefined) return undefined;
    try {
      verifyDigest(this.#job, 'digest', await this.#readDigest());
    } catch (error) {
      if (error instanceof StorageError && error.code === 'DIGEST_MISMATCH') return error;
      throw error;
    }
    return undefined;
  }

  finish(): void {
    this.#copy?.finish();
  }

  discard(): void {
    this.#copy?.discard();
  }

  close(): void {
    this.#bytes.close();
  }

  #readDigest(): Promise<Digest> {
    this.#digest ??= this.#bytes.digest();
    return this.#digest;
  }
}

function hashHere(algorithm: DigestAlgorithm): DiffHasher {
  const hasher = newHasher(algorithm);
  return {
    update: (bytes) => hasher.update(bytes),
    digest: () => hasher.digest(),
    abandon: () => undefined,
  };
}

function openBytes(job: UnpackJob, hooks: DiffReaderHooks, copy: BlobCopy | undefined): LayerBytes {
  const { what, blob, expect } = job;
  const { input } = hooks;
  // Also while the rest of a damaged layer is read for its digest.
  const onProgress = (bytesRead: number): void => {
    hooks.checkpoint();
    // A stream that is too long may never end.
    if (bytesRead > (expect.size ?? Number.POSITIVE_INFINITY)) verifySize(job, bytesRead);
    hooks.onProgress?.(bytesRead);
  };
  const options = { what, algorithm: algorithmOf(expect.digest), onProgress, copy };
  if (blob !== undefined) return new BlobReader(blob, options);
  if (input === undefined) throw new TypeError(`${what}: a job without a blob needs its bytes`);
  return new StreamReader(input, options);
}

function algorithmOf(digest: Digest | undefined): DigestAlgorithm {
  return digest === undefined ? 'sha256' : digestAlgorithm(digest);
}

function verifyDigest({ what, expect, blob }: UnpackJob, kind: 'digest' | 'diffID', actual: Digest): void {
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

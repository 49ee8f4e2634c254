import { isStorageError, StorageError, wrapSystemError } from '@sediment/core';
import { withCleanupError } from './cleanupError.ts';
import { explainedBy, isAboutContent, namingBlob } from './contentError.ts';
import { copyBase } from './copyBase.ts';
import { DiffReader } from './diffReader.ts';
import type { DiffSource } from './diffSource.ts';
import { LayerSink } from './layerSink.ts';
import { registerNativeCodecs } from './nativeCodecs.ts';
import { FileHandover } from './split/fileHandover.ts';
import { SplitDiff } from './split/splitDiff.ts';
import type { SplitMemory } from './split/splitMemory.ts';
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
  /** Another thread runs `produceDiff` of the same job on this memory: it reads the layer, and helps to write files. */
  readonly split?: SplitMemory;
}

/**
 * Reads one layer to its last byte, once: hashes it, decompresses it by its magic, hashes the tar,
 * and writes tree, tar-split and the copy to be kept. A tree that begins as a copy is copied first. Runs in the calling thread, with synchronous calls. After a failure
 * there is no tar-split, no copy and no open file; the tree is left to the caller, incomplete.
 *
 * @throws {StorageError} `DIGEST_MISMATCH`, `SIZE_MISMATCH`, `DIFF_ID_MISMATCH` when the layer is not
 *   the expected one; `BLOB_MISSING` and `ARCHIVE_INVALID` when the file is missing or ends early;
 *   `COMPRESSION_INVALID`, `TAR_INVALID`, `TAR_TRUNCATED`, `TAR_DUPLICATE_PATH`, `TAR_ENTRY_UNSUPPORTED`, `UNPACK_UNSAFE` for bad content;
 *   `UNPACK_FAILED`, `NO_SPACE`, `IO`; `ABORTED`
 */
export async function runUnpackJob(job: UnpackJob, hooks: UnpackHooks = {}): Promise<UnpackResult> {
  registerNativeCodecs();
  const checkpoint = (): void => stopIfAborted(job, hooks);
  const { split } = hooks;
  const handover = split && new FileHandover(split);
  const source =
    split && handover
      ? new SplitDiff({ memory: split, handover, checkpoint })
      : new DiffReader(job, { ...hooks, checkpoint });
  try {
    const result = await unpackFrom(source, { job, hooks, checkpoint, handover });
    source.finish();
    return result;
  } catch (error) {
    const reason = wrapSystemError(error, job.what);
    discard(source, reason);
    throw reason;
  } finally {
    source.close();
  }
}

/** @throws {StorageError} `ABORTED` */
export function stopIfAborted({ what }: UnpackJob, { isAborted }: Pick<UnpackHooks, 'isAborted'>): void {
  if (isAborted?.() === true) throw new StorageError('ABORTED', `${what}: unpacking was aborted`);
}

interface UnpackRun {
  readonly job: UnpackJob;
  readonly hooks: UnpackHooks;
  readonly checkpoint: () => void;
  readonly handover: FileHandover | undefined;
}

async function unpackFrom(source: DiffSource, run: UnpackRun): Promise<UnpackResult> {
  const { job, hooks, checkpoint, handover } = run;
  const copyWarnings = copyBase(job, checkpoint);
  const warnings = new WarningTally(job.what);
  const umaskIsZero = hooks.umaskIsZero ?? false;
  const sink = new LayerSink({ job, warnings, checkpoint, umaskIsZero, handover });
  try {
    for await (const chunk of source.chunks()) {
      checkpoint();
      sink.write(chunk);
    }
    sink.end();
    const facts = await source.facts();
    sink.finish();
    return {
      ...facts,
      uidSet: sink.owners.uids,
      gidSet: sink.owners.gids,
      treeBytes: sink.treeBytes,
      warnings: [...copyWarnings, ...warnings.list()],
    };
  } catch (error) {
    discard(sink, error);
    const mismatch = isAboutContent(error) ? await source.mismatch() : undefined;
    if (mismatch !== undefined) throw explainedBy(mismatch, error);
    throw isStorageError(error) ? namingBlob(error, job) : error;
  }
}

function discard(part: { discard(): void }, error: unknown): void {
  try {
    part.discard();
  } catch (second) {
    throw withCleanupError(error, second);
  }
}

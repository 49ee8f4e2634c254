import type { Compression, Digest, Warning } from '@sediment/core';
import type { UnpackPolicy } from '../drivers/unpackPolicy.ts';
import type { IdMap } from '../records/idMap.ts';

/** The bytes of one layer as they came (compressed or not) inside a file. `offset`, `length` in bytes. */
export interface BlobRange {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** Bytes that can be had again and again; each call starts from the beginning. */
export type OpenBytes = (signal?: AbortSignal) => AsyncIterable<Uint8Array>;

/** What is known about a layer; each one is verified. */
export interface LayerExpectation {
  /** Of the bytes as they came. */
  readonly digest?: Digest;
  readonly size?: number;
  /** Of the uncompressed tar. */
  readonly diffID?: Digest;
}

/** Where a layer is unpacked to, and how. */
export interface UnpackTree {
  /** A directory that nothing else writes to. */
  readonly root: string;
  /** The tree begins as a copy of this directory, which the job makes; `root` is empty then. */
  readonly base?: string;
  readonly policy: UnpackPolicy;
  /** Owners in the tar are ids of a container with these maps; none if absent. */
  readonly uidMap?: readonly IdMap[];
  readonly gidMap?: readonly IdMap[];
}

/**
 * One reading of one layer. `tree` and `tarSplit` are independent: a job without either still
 * verifies the layer and finds its digests. Plain data, so that it can be sent to a thread.
 */
export interface UnpackJob {
  /** For messages, such as `layer 2 (sha256:…)`. */
  readonly what: string;
  /** Absent when the bytes are given along with the job as a stream. */
  readonly blob?: BlobRange;
  readonly expect: LayerExpectation;
  /** Unpack into this directory, which exists. */
  readonly tree?: UnpackTree;
  /** Write the tar-split (gzip, mode 0600) to this path, which must not exist. */
  readonly tarSplit?: { readonly path: string };
  /**
   * Write the bytes (mode 0644) to this path, which must not exist: as they come (`blob`), or the uncompressed tar.
   * The file is complete and on disk when the job succeeds, and removed when it fails.
   */
  readonly keep?: { readonly path: string; readonly form: 'blob' | 'tar' };
  /** The content of all files of the tree, and the tar-split, are on the disk when the job succeeds. */
  readonly sync?: boolean;
}

export interface UnpackResult {
  readonly compressedDigest: Digest;
  readonly compressedSize: number;
  /** Of the uncompressed tar with all that follows its end blocks ("DiffID"). */
  readonly diffDigest: Digest;
  readonly diffSize: number;
  readonly compression: Compression;
  /** Distinct owners of all entries that are no whiteouts, ascending, as the tar has them. */
  readonly uidSet: number[];
  readonly gidSet: number[];
  /** Bytes of file content written into the tree; 0 without one. */
  readonly treeBytes: number;
  readonly warnings: Warning[];
}

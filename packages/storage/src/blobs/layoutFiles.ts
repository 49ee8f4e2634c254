import { chmodSync, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  type Digest,
  type DigestAlgorithm,
  digestAlgorithm,
  digestHex,
  digestOf,
  errnoCode,
  isDigest,
  wrapSystemError,
} from '@sediment/core';
import { listDirectory } from '../store/removeTempFiles.ts';

const DIRECTORY_MODE = 0o755;
/** Largest document that is read into memory, in bytes; as in containers/image. */
const DOCUMENT_LIMIT = 4 * 1024 * 1024;

const ALGORITHMS: readonly DigestAlgorithm[] = ['sha256', 'sha384', 'sha512'];

export const LAYOUT_VERSION = '{"imageLayoutVersion":"1.0.0"}';

/** A blob's file. `time` of its last modification, in milliseconds since 1970: when it was put or asked for last. */
export interface BlobFile {
  readonly digest: Digest;
  readonly path: string;
  readonly size: number;
  readonly time: number;
}

/** Where things lie in an OCI image layout, and which blobs are there. */
export class LayoutFiles {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  get exists(): boolean {
    return existsSync(this.root);
  }
  get indexPath(): string {
    return join(this.root, 'index.json');
  }
  get versionPath(): string {
    return join(this.root, 'oci-layout');
  }

  /** A `Digest` has no path characters. */
  blobPath(digest: Digest): string {
    return join(this.root, 'blobs', digestAlgorithm(digest), digestHex(digest));
  }

  find(digest: Digest): BlobFile | undefined {
    const path = this.blobPath(digest);
    try {
      const found = statSync(path, { throwIfNoEntry: false });
      if (found?.isFile() !== true) return undefined;
      return { digest, path, size: found.size, time: found.mtimeMs };
    } catch (error) {
      throw wrapSystemError(error, `reading ${path}`, 'IO', { path });
    }
  }

  /** All blobs; files of other names are none. */
  list(): BlobFile[] {
    const blobs = join(this.root, 'blobs');
    return ALGORITHMS.flatMap((algorithm) =>
      listDirectory(join(blobs, algorithm))
        .map((hex) => `${algorithm}:${hex}`)
        .filter(isDigest)
        .map((digest) => this.find(digest))
        .filter((file) => file !== undefined),
    );
  }

  /** The bytes of a manifest, index or config; undefined if it is missing, too large, or damaged. */
  document(digest: Digest): Uint8Array | undefined {
    const file = this.find(digest);
    if (file === undefined || file.size > DOCUMENT_LIMIT) return undefined;
    try {
      const bytes = readFileSync(file.path);
      return digestOf(bytes, digestAlgorithm(digest)) === digest ? bytes : undefined;
    } catch (error) {
      if (errnoCode(error) === 'ENOENT') return undefined;
      throw wrapSystemError(error, `reading ${file.path}`, 'IO', { path: file.path });
    }
  }

  /** Makes the directory of a blob, in an existing layout. */
  makeRoomFor(digest: Digest): void {
    makeDirectory(dirname(this.blobPath(digest)));
  }
}

/** Modes do not depend on the umask: users of another id may be let in by the directories above. */
export function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (!existsSync(parent)) makeDirectory(parent);
  try {
    mkdirSync(path, DIRECTORY_MODE);
    chmodSync(path, DIRECTORY_MODE);
  } catch (error) {
    if (errnoCode(error) !== 'EEXIST') throw wrapSystemError(error, `making ${path}`, 'IO', { path });
  }
}

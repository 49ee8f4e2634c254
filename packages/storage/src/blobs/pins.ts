import { closeSync, existsSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Digest,
  digestAlgorithm,
  digestHex,
  errnoCode,
  isDigest,
  wrapSystemError,
} from '@sediment/core';
import { makePrivateDirectory } from '../store/makePrivateDirectory.ts';
import { listDirectory } from '../store/removeTempFiles.ts';

/**
 * Pins of single blobs: an empty file for each. They say what a person wants, and nothing else does, so they are not
 * kept in the index, which may be lost.
 */
export class Pins {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  all(): Set<Digest> {
    const digests = listDirectory(this.#directory).map((name) => name.replace('-', ':'));
    return new Set(digests.filter(isDigest));
  }

  has(digest: Digest): boolean {
    return existsSync(this.#path(digest));
  }

  add(digest: Digest): void {
    this.#change(digest, (path) => {
      makePrivateDirectory(this.#directory);
      closeSync(openSync(path, 'a', 0o600));
    });
  }

  remove(digest: Digest): void {
    this.#change(digest, (path) => {
      try {
        unlinkSync(path);
      } catch (error) {
        if (errnoCode(error) !== 'ENOENT') throw error;
      }
    });
  }

  #change(digest: Digest, fn: (path: string) => void): void {
    const path = this.#path(digest);
    try {
      fn(path);
    } catch (error) {
      throw wrapSystemError(error, `the pin ${path}`, 'IO', { path });
    }
  }

  #path(digest: Digest): string {
    return join(this.#directory, `${digestAlgorithm(digest)}-${digestHex(digest)}`);
  }
}

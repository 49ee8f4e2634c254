import { closeSync } from 'node:fs';
import { errnoCode, isStorageError } from '@sediment/core';
import { AT_FDCWD, O_CLOEXEC, O_NOFOLLOW, O_RDONLY, openat } from '@sediment/posix';
import type { Breather } from '../store/breather.ts';
import type { DedupHash } from './dedupOptions.ts';
import { FileFinder, type FoundFile } from './fileFinder.ts';
import { type FileKey, fileKeyBy } from './fileKeys.ts';
import { canShare, isUnsupported, shareContent } from './shareContent.ts';

/** The file system has no blocks that files could share. */
export class NoSharing extends Error {
  override readonly name = 'NoSharing';
}

/** Files that were left as they are because of an error. */
interface Skipped {
  readonly count: number;
  readonly firstReason: string;
}

/** Makes equal files below the directories that it is given share their blocks. */
export class Deduplicator {
  readonly #keyOf: FileKey | undefined;
  readonly #breather: Breather;
  readonly #finder = new FileFinder();
  /** By key, the files that differ from each other in spite of it. */
  readonly #originals = new Map<string, FoundFile[]>();
  #mayShare: boolean | undefined;
  #bytes = 0;
  #skipped: Skipped = { count: 0, firstReason: '' };

  constructor(hash: DedupHash, breather: Breather) {
    this.#keyOf = fileKeyBy(hash);
    this.#breather = breather;
  }

  /** Bytes that are shared, by this or before. */
  get bytes(): number {
    return this.#bytes;
  }

  get skipped(): Skipped {
    return this.#skipped;
  }

  /** @throws {NoSharing} at the first file, if at all */
  async addDirectory(directory: string): Promise<void> {
    for (const file of this.#finder.below(directory)) {
      await this.#breather.rest();
      try {
        this.#add(file);
      } catch (error) {
        this.#skip(error);
      }
    }
  }

  #add(file: FoundFile): void {
    this.#mayShare ??= withFile(file, canShare);
    if (!this.#mayShare) throw new NoSharing();
    const keyOf = this.#keyOf;
    // The key function closes the file.
    const key = keyOf === undefined ? `${file.size}` : `${file.size}:${keyOf(open(file), file.path)}`;
    const originals = this.#originals.get(key);
    if (originals === undefined) this.#originals.set(key, [file]);
    else if (!this.#shareWithOneOf(originals, file)) originals.push(file);
  }

  #shareWithOneOf(originals: readonly FoundFile[], file: FoundFile): boolean {
    return withFile(file, (fd) =>
      originals.some((original) => {
        const shared = withFile(original, (sourceFd) => shareContent(sourceFd, fd, file.size));
        this.#bytes += shared;
        return shared > 0;
      }),
    );
  }

  /** A file that is gone was removed by another program, with its layer. */
  #skip(error: unknown): void {
    if (error instanceof NoSharing || isUnsupported(error)) throw new NoSharing();
    const code = isStorageError(error) ? error.facts.errnoCode : errnoCode(error);
    if (code === undefined) throw error;
    if (code === 'ENOENT' || code === 'ESTALE') return;
    const { count, firstReason } = this.#skipped;
    this.#skipped = { count: count + 1, firstReason: firstReason || (error as Error).message };
  }
}

function withFile<T>(file: FoundFile, fn: (fd: number) => T): T {
  const fd = open(file);
  try {
    return fn(fd);
  } finally {
    closeSync(fd);
  }
}

function open({ path }: FoundFile): number {
  return openat(AT_FDCWD, Buffer.from(path, 'latin1'), O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
}

import { posix } from 'node:path';

export type TarEntryType = 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';

/** An entry of a tar archive, by position. */
export interface TarEntry {
  /** Cleaned: no `./` or `/` in front, no `/` at the end, no `..` but in front. */
  readonly path: string;
  readonly type: TarEntryType;
  /** Where its data begins in the archive, and how long it is, in bytes. */
  readonly offset: number;
  readonly size: number;
  /** Target of a link, as written. */
  readonly linkpath: string;
}

/**
 * Which of several entries of one path counts. Reading a docker-archive scans for the first one;
 * unpacking an oci-archive leaves the last one. All other programs do so, and so do we.
 */
export type Occurrence = 'first' | 'last';

/** Where everything lies in a tar archive. Made by `scanTar`. */
export class TarIndex {
  readonly entries: readonly TarEntry[];
  readonly #first = new Map<string, TarEntry>();
  readonly #last = new Map<string, TarEntry>();

  constructor(entries: readonly TarEntry[]) {
    this.entries = entries;
    for (const entry of entries) {
      if (!this.#first.has(entry.path)) this.#first.set(entry.path, entry);
      this.#last.set(entry.path, entry);
    }
  }

  find(path: string, which: Occurrence): TarEntry | undefined {
    return (which === 'first' ? this.#first : this.#last).get(cleanTarPath(path));
  }
}

/** The one spelling of a path inside an archive. */
export function cleanTarPath(path: string): string {
  return posix.normalize(path).replace(/^\/+|\/+$/g, '');
}

import {
  AT_FDCWD,
  close,
  fstatatIfExists,
  isPosixError,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  type PosixStat,
  S_IFDIR,
  S_IFMT,
  S_IFREG,
} from '@sediment/posix';
import { listNames } from '../unpack/removeEntry.ts';

/** A regular file with content. Its path is in Latin-1, one character for a byte. */
export interface FoundFile {
  readonly path: string;
  readonly size: number;
}

const DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
/** What a program that removes a layer meanwhile leads to. */
const GONE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ESTALE']);

/** Finds the regular files with content below directories; of several hard links the first one. */
export class FileFinder {
  readonly #seen = new Set<string>();

  *below(directory: string): Generator<FoundFile, void, undefined> {
    yield* this.#walk(AT_FDCWD, directory, Buffer.from(directory).toString('latin1'));
  }

  *#walk(parent: number, name: string | Buffer, path: string): Generator<FoundFile, void, undefined> {
    const fd = openIfThere(parent, name);
    if (fd === undefined) return;
    try {
      for (const child of listNames(fd)) {
        const stat = fstatatIfExists(fd, child);
        if (stat === undefined) continue;
        const at = `${path}/${child.toString('latin1')}`;
        const type = stat.mode & S_IFMT;
        if (type === S_IFDIR) yield* this.#walk(fd, child, at);
        else if (type === S_IFREG && stat.size > 0 && this.#isFirst(stat))
          yield { path: at, size: stat.size };
      }
    } finally {
      close(fd);
    }
  }

  #isFirst({ dev, ino }: PosixStat): boolean {
    const key = `${dev}:${ino}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}

function openIfThere(parent: number, name: string | Buffer): number | undefined {
  try {
    return openat(parent, name, DIRECTORY);
  } catch (error) {
    if (isPosixError(error) && GONE.has(error.code)) return undefined;
    throw error;
  }
}

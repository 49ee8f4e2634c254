import {
  close,
  fstatatIfExists,
  O_CLOEXEC,
  O_DIRECTORY,
  O_NOFOLLOW,
  O_RDONLY,
  openat,
  type PosixStat,
  readlinkat,
  S_IFBLK,
  S_IFCHR,
  S_IFDIR,
  S_IFIFO,
  S_IFLNK,
  S_IFMT,
  S_IFREG,
} from '@sediment/posix';
import type { Owner } from '../../idmaps/idMappings.ts';
import type { Breather } from '../../store/breather.ts';
import { listNames } from '../../unpack/removeEntry.ts';
import { attributeDifferences, compareDifferences, type Difference, type Ignored } from './differences.ts';
import type { EntryAttributes, EntryType, ExpectedEntry, ExpectedTree } from './expectedTree.ts';
import { wholeSeconds } from './headerAttributes.ts';

export interface CompareTreeRequest {
  readonly expected: ExpectedTree;
  /** Descriptor of the directory that shows the actual tree. */
  readonly fd: number;
  /** Gives the owner inside a container for one on disk; absent where they are the same. */
  readonly ownerOf?: (owner: Owner) => Owner;
  readonly ignored: Ignored;
  readonly breather: Breather;
}

const TYPES: ReadonlyMap<number, EntryType> = new Map([
  [S_IFREG, 'file'],
  [S_IFDIR, 'directory'],
  [S_IFLNK, 'symlink'],
  [S_IFCHR, 'char'],
  [S_IFBLK, 'block'],
  [S_IFIFO, 'fifo'],
]);
const PERMISSIONS = 0o7777;
const DIRECTORY = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/**
 * Compares a tree with what it should be, entry by entry; the root's own attributes are the driver's and
 * not compared. Only reads.
 *
 * @returns all differences, by path
 */
export async function compareTree(request: CompareTreeRequest): Promise<Difference[]> {
  const comparison = new Comparison(request);
  await comparison.directory(request.expected.root, request.fd, '/');
  return comparison.found.sort(compareDifferences);
}

class Comparison {
  readonly found: Difference[] = [];
  readonly #request: CompareTreeRequest;

  constructor(request: CompareTreeRequest) {
    this.#request = request;
  }

  /** @param expected undefined for a directory that should not be there */
  async directory(expected: ExpectedEntry | undefined, fd: number, path: string): Promise<void> {
    const missing = new Map(expected?.children);
    for (const name of listNames(fd)) {
      await this.#request.breather.rest();
      const stat = fstatatIfExists(fd, name);
      if (stat === undefined) continue;
      const key = name.toString('latin1');
      const entry = missing.get(key);
      missing.delete(key);
      await this.#entry(entry, { fd, name, stat, path: `${path}${name.toString()}` });
    }
    for (const [name, entry] of missing) {
      if (!entry.optional) this.#lost(entry, `${path}${textOf(name)}`);
    }
  }

  async #entry(expected: ExpectedEntry | undefined, actual: Actual): Promise<void> {
    const isDirectory = typeOf(actual.stat) === 'directory';
    if (expected === undefined) {
      this.#add('+', actual.path, isDirectory);
      if (isDirectory) await this.#descend(undefined, actual);
      return;
    }
    const wanted = this.#request.expected.attributesOf(expected);
    if (wanted.type !== undefined && (wanted.type === 'directory') !== isDirectory) {
      this.#lost(expected, actual.path);
      await this.#entry(undefined, actual);
      return;
    }
    const text = attributeDifferences(wanted, this.#attributes(actual), this.#request.ignored);
    if (text !== '') this.found.push({ path: actual.path, text: `${actual.path}(${text})` });
    if (isDirectory) await this.#descend(expected, actual);
  }

  async #descend(expected: ExpectedEntry | undefined, { fd, name, path }: Actual): Promise<void> {
    const child = openat(fd, name, DIRECTORY);
    try {
      await this.directory(expected, child, `${path}/`);
    } finally {
      close(child);
    }
  }

  #lost(entry: ExpectedEntry, path: string): void {
    this.#add('-', path, entry.children !== undefined);
    for (const [name, child] of entry.children ?? []) {
      if (!child.optional) this.#lost(child, `${path}/${textOf(name)}`);
    }
  }

  #add(sign: '+' | '-', path: string, isDirectory: boolean): void {
    const full = isDirectory ? `${path}/` : path;
    this.found.push({ path: full, text: `${sign}${full}` });
  }

  #attributes({ fd, name, stat }: Actual): EntryAttributes {
    const type = typeOf(stat);
    const { uid, gid } = this.#request.ownerOf?.(stat) ?? stat;
    return {
      type,
      uid,
      gid,
      mode: stat.mode & PERMISSIONS,
      mtime: wholeSeconds(stat.mtimeNs),
      ...(type === 'file' ? { size: stat.size } : {}),
      ...(type === 'symlink' ? { target: readlinkat(fd, name) } : {}),
      ...(type === 'char' || type === 'block' ? { device: stat.rdev } : {}),
    };
  }
}

/** An entry that is there. */
interface Actual {
  readonly fd: number;
  readonly name: Buffer;
  readonly stat: PosixStat;
  readonly path: string;
}

function typeOf({ mode }: PosixStat): EntryType {
  return TYPES.get(mode & S_IFMT) ?? 'socket';
}

function textOf(name: string): string {
  return Buffer.from(name, 'latin1').toString();
}

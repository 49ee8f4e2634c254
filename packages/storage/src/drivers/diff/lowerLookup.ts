import { errnoCode } from '@sediment/core';
import { AT_FDCWD, fstatat, type PosixStat } from '@sediment/posix';
import { joinBytes } from '../../staging/shortPath.ts';
import { isDirectory } from './walkTree.ts';
import { isWhiteout } from './whiteoutEntry.ts';

const SLASH = 0x2f;

/** What one lower layer says of a name. */
type Found = 'nothing' | 'whiteout' | PosixStat;

/**
 * Looks names up in the layers below an overlay layer. Symlinks on the way are never followed: a name leads
 * through directories only, as in the kernel's overlay.
 */
export class LowerLookup {
  readonly #layers: readonly LowerLayer[];

  /** @param directories content of the lower layers, nearest first */
  constructor(directories: readonly string[]) {
    this.#layers = directories.map((directory) => new LowerLayer(Buffer.from(directory)));
  }

  /**
   * What lies at `name` below; undefined when there never was anything, or a layer in between deleted it or
   * a directory that it was in.
   */
  find(name: Buffer): PosixStat | undefined {
    for (const layer of this.#layers) {
      const found = layer.find(name);
      if (found === 'whiteout') return undefined;
      if (found !== 'nothing') return found;
    }
    return undefined;
  }
}

class LowerLayer {
  readonly #root: Buffer;
  /** What directories on the way are, by name. */
  readonly #parents = new Map<string, Found>();

  constructor(root: Buffer) {
    this.#root = root;
  }

  find(name: Buffer): Found {
    const slash = name.lastIndexOf(SLASH);
    if (slash > 0) {
      const parent = this.#parent(name.subarray(0, slash));
      if (parent === 'whiteout') return parent;
      if (parent === 'nothing' || !isDirectory(parent)) return 'nothing';
    }
    return this.#look(name);
  }

  #parent(name: Buffer): Found {
    const key = name.toString('latin1');
    const known = this.#parents.get(key);
    if (known !== undefined) return known;
    const found = this.find(name);
    this.#parents.set(key, found);
    return found;
  }

  #look(name: Buffer): Found {
    try {
      const stat = fstatat(AT_FDCWD, joinBytes(this.#root, name));
      return isWhiteout(stat) ? 'whiteout' : stat;
    } catch (error) {
      const code = errnoCode(error);
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return 'nothing';
      throw error;
    }
  }
}

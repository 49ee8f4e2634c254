import type { Warning, WarningCode } from '@sediment/core';

interface Tally {
  readonly code: WarningCode;
  readonly reason: string;
  readonly path: string;
  count: number;
}

/**
 * Collects the warnings of one layer. A cause that meets every file (a file system without xattrs) is
 * told once, with the first path and the number of entries.
 */
export class WarningTally {
  readonly #what: string;
  readonly #tallies = new Map<string, Tally>();

  /** @param what names the layer */
  constructor(what: string) {
    this.#what = what;
  }

  /** `reason` is what all affected entries have in common; `path` is below the root of the tree. */
  add(code: WarningCode, reason: string, path: string): void {
    const key = `${code} ${reason}`;
    const tally = this.#tallies.get(key);
    if (tally === undefined) this.#tallies.set(key, { code, reason, path, count: 1 });
    else tally.count++;
  }

  list(): Warning[] {
    return Array.from(this.#tallies.values(), ({ code, reason, path, count }) => {
      const where = count === 1 ? `"${path}"` : `${count} entries, the first is "${path}"`;
      return { code, message: `${this.#what}: ${reason} (${where})`, object: this.#what, path };
    });
  }
}

import { TAR_TYPE, type TarHeader } from '@sediment/codec';
import { cleanPath } from '@sediment/core';
import { isWhiteoutName } from './whiteoutName.ts';

const SLASH = 0x2f;
const WHITEOUT = Buffer.from('.wh.');

/**
 * The owners that a layer's entries have, as the layer record holds them. Whiteouts do not count, and
 * a global PAX header counts as root's (containers/storage, `pkg/tarlog` and `layers.go` `applyDiff`).
 */
export class OwnerSets {
  readonly #uids = new Set<number>();
  readonly #gids = new Set<number>();
  #lastUid = -1;
  #lastGid = -1;

  add(header: TarHeader): void {
    const isGlobal = header.typeflag === TAR_TYPE.paxGlobal;
    // Most entries have the owner of the one before, which saves a look at the name.
    if (header.uid === this.#lastUid && header.gid === this.#lastGid && !isGlobal) return;
    if (header.name.includes(WHITEOUT) && isWhiteoutEntry(header.name)) return;
    this.#lastUid = isGlobal ? 0 : header.uid;
    this.#lastGid = isGlobal ? 0 : header.gid;
    this.#uids.add(this.#lastUid);
    this.#gids.add(this.#lastGid);
  }

  /** Ascending. */
  get uids(): number[] {
    return ascending(this.#uids);
  }

  /** Ascending. */
  get gids(): number[] {
    return ascending(this.#gids);
  }
}

function isWhiteoutEntry(name: Buffer): boolean {
  const clean = cleanPath(name);
  return isWhiteoutName(clean.subarray(clean.lastIndexOf(SLASH) + 1));
}

function ascending(ids: Set<number>): number[] {
  return Array.from(ids).sort((a, b) => a - b);
}

import { cleanPath, TAR_TYPE, type TarHeader } from '@sediment/codec';
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

  add(header: TarHeader): void {
    if (header.name.includes(WHITEOUT) && isWhiteoutEntry(header.name)) return;
    const isGlobal = header.typeflag === TAR_TYPE.paxGlobal;
    this.#uids.add(isGlobal ? 0 : header.uid);
    this.#gids.add(isGlobal ? 0 : header.gid);
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
